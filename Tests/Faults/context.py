"""What every check is given, and the comparison that most of them end with."""

import os
import random
import shutil
import subprocess
import threading
from dataclasses import dataclass, field

from disk import Disk
from log import write_log
from service import Client, Failed, Service, scores

ITEMS = 60
SHAPE = ["--hidden-size", "16", "--layers", "1", "--epochs", "1", "--batch-tokens", "256", "--threads", "1"]


@dataclass
class Context:
    """The program, models v1 and v2, the library of faults, and a server that nothing happens to."""

    program: str
    workplace: str
    seed: str
    rounds: int
    library: str = None
    bench: str = None
    soak_minutes: float = 1
    long: bool = False
    reference: Service = None
    notes: list = field(default_factory=list)
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def models(self):
        return os.path.join(self.workplace, "models")

    def random(self, name):
        return random.Random(f"{self.seed}/{name}")

    def folder(self, name):
        path = os.path.join(self.workplace, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def models_copy(self, folder, versions=("v1", "v2")):
        """Models that a check may damage."""
        path = os.path.join(folder, "models")
        for version in versions:
            shutil.copytree(os.path.join(self.models, version), os.path.join(path, version))
        return path

    def serve(self, folder, *options, store=True, models=None, disk=None):
        """A server on the store in this folder; it need not be ready."""
        return Service(
            self.program, models or self.models_of("v1"), folder, os.path.join(folder, "store") if store else None, options,
            disk.environment if disk else None)

    def models_of(self, version):
        """A folder with only this version."""
        return os.path.join(self.workplace, "only-" + version)

    def disk(self, folder):
        """The disk under the store of a folder; None, with a note, where none can be made."""
        if self.library is None:
            self.note("no compiler, or no Linux: no disk and no clock went wrong")
            return None
        store = os.path.join(folder, "store")
        os.makedirs(store, exist_ok=True)
        return Disk(self.library, folder, store)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def prepare(self):
        """Trains two versions of a small model and starts the server to compare with."""
        folder = os.path.join(self.workplace, "training")
        os.makedirs(folder)
        write_log(os.path.join(folder, "log.csv"), ITEMS, self.random("data"))
        self.command(folder, "prepare", "log.csv", "-o", "data", "--min-user-events", "1", "--min-item-events", "1")
        for version in ("v1", "v2"):
            self.command(folder, "train", "data", "-m", version, *SHAPE, "--seed", version[1:])
            for place in (self.models, self.models_of(version)):
                shutil.copytree(os.path.join(folder, version), os.path.join(place, version))
        self.reference = Service(self.program, self.models_of("v1"), folder)
        self.reference.ready()

    def command(self, folder, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=folder, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"faults: cannot begin: {' '.join(arguments)}: {done.stderr.decode()}")

    def replay(self, events):
        """What a server that has seen nothing else recommends after these events, which come to it one after the other as they are in the
        log: nothing is late."""
        client = self.reference.client()
        with self.lock:
            self.count += 1
            user = f"replay-{self.count}"
        body = [{name: event[name] for name in ("item", "type", "value") if name in event} for event in events]
        if body:
            client.append(user, body)
        found = client.recommendations(user)
        client.close()
        return found

    def check_replay(self, client, user, stored=None):
        """The user's state is that of a replay of the user's log, bit for bit."""
        stored = client.events(user) if stored is None else stored
        found, expected = client.recommendations(user), self.replay(stored)
        if found != expected:
            difference = next((pair for pair in zip(found, expected) if pair[0] != pair[1]), (len(found), len(expected)))
            raise Failed(f"{user}: after {len(stored)} events the server says {difference[0]}, a replay {difference[1]}")


def run_threads(bodies):
    """Runs functions side by side; the first failure of any is the failure of all."""
    failures = []

    def guarded(body):
        try:
            body()
        except Exception as error:
            failures.append(error)

    # Daemons: where the main thread is asked to end, nobody waits for the others.
    threads = [threading.Thread(target=guarded, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
