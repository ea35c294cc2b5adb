#!/usr/bin/env python3
"""serve.py PROGRAM [CHECK...]: starts `recblr serve` in many ways and looks at what it answers, says and ends with."""

import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "Faults"))

import access
import connections
import ending
import saying
import settings
from log import write_log
from service import Failed, Service, clean_up_when_ended

ITEMS = 60
SHAPE = ["--hidden-size", "16", "--layers", "1", "--epochs", "1", "--batch-tokens", "256", "--threads", "1"]
CHECKS = [*settings.CHECKS, *access.CHECKS, *connections.CHECKS, *saying.CHECKS, *ending.CHECKS]


class World:
    """The program, a folder of models with one version, another version, and a place for files."""

    def __init__(self, program, folder):
        self.program, self.folder = os.path.abspath(program), folder
        self.models, self.second = os.path.join(folder, "models"), os.path.join(folder, "second")

    def prepare(self):
        write_log(self.path("log.csv"), ITEMS, random.Random(7), users=60, steps=12)
        self.run("prepare", "log.csv", "-o", "data", "--min-user-events", "1", "--min-item-events", "1")
        for seed, model in (("1", "models/v1"), ("2", "second")):
            os.makedirs(os.path.dirname(self.path(model)), exist_ok=True)
            self.run("train", "data", "-m", model, *SHAPE, "--seed", seed)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=self.folder, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"serve: cannot begin: {' '.join(arguments)}: {done.stderr.decode()}")

    def outcome(self, *options, environment=None):
        """Exit code, standard output and standard error of a server that ends by itself."""
        done = subprocess.run(
            [self.program, "serve", *options], cwd=self.folder, capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def refuses(self, status, words, *options, environment=None):
        """Fails unless the server ends with this status and one sentence with these words."""
        code, _, error = self.outcome(*options, environment=environment)
        if code != status or words not in error or len(error.strip().splitlines()) != 1:
            raise Failed(f"{' '.join(options)}: {code} instead of {status} with '{words}': {error}")

    def serve(self, *options, environment=None, models=None, store=None):
        """A server that is ready."""
        folder = tempfile.mkdtemp(dir=self.folder)
        return Service(self.program, models or self.models, folder, store, options, environment).ready()


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    chosen = [check for check in CHECKS if len(sys.argv) == 2 or check.__name__ in sys.argv[2:]]
    clean_up_when_ended()
    folder = tempfile.mkdtemp(prefix="recblr-serve-")
    failures = 0
    try:
        world = World(sys.argv[1], folder)
        world.prepare()
        for check in chosen:
            try:
                note = check(world)
                print(f"serve: {check.__name__}: {note or 'good'}", flush=True)
            except Exception as error:  # a check that breaks has failed
                failures += 1
                print(f"serve: {check.__name__}: FAILED: {error!r}\n  scripts/check-serve.sh {sys.argv[1]} {check.__name__}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
