"""What is deleted stays deleted, whatever happens to the server, and no file of the store holds a byte of it."""

import os
import threading

from context import ITEMS, run_threads
from service import Failed, Lost

THREADS = 6


class Owner:
    """The only client of one user: it knows what must be there after the last reply, and what may be there beside it."""

    def __init__(self, user, seed):
        self.user, self.seed, self.count = user, seed, 0
        self.present, self.possible = [], None  # names of events; `possible`: as well, where the last request had no reply

    def play(self, service):
        client = service.client()
        try:
            while True:
                self.step(client)
        except Lost:
            pass
        client.close()

    def step(self, client):
        kind = self.seed.random()
        if kind < 0.75 or not self.present:
            self.count += 1
            name = f"{self.user}-event-{self.count}-"
            self.possible = [*self.present, name]
            client.append(self.user, {"item": f"i{self.seed.randrange(ITEMS)}", "eventId": name}, recommend=5)
        elif kind < 0.95:
            name = self.seed.choice(self.present)
            self.possible = [other for other in self.present if other != name]
            client.expect("DELETE", f"/v1/users/{self.user}/events/{name}")
        else:
            self.possible = []
            client.expect("DELETE", f"/v1/users/{self.user}?wait=true")
        self.present, self.possible = self.possible, None

    def check(self, client):
        found = [event["eventId"] for event in client.events(self.user)]
        if found not in [self.present] + ([self.possible] if self.possible is not None else []):
            raise Failed(f"{self.user}: {found} instead of {self.present} or {self.possible}")


def kill_with_deletions(context):
    """kill -9 while users and events are deleted."""
    folder, count = context.folder("kill-deletions"), 0
    for number in range(context.rounds):
        owners = [Owner(f"owned-{number}-{thread}", context.random(f"owned/{number}/{thread}")) for thread in range(THREADS)]
        with context.serve(folder).ready() as service:
            killer = threading.Timer(context.random(f"owned/{number}").uniform(0.1, 1.0), service.kill)
            killer.start()
            run_threads([lambda owner=owner: owner.play(service) for owner in owners])
            killer.join()
        with context.serve(folder).ready() as service:
            client = service.client()
            for owner in owners:
                owner.check(client)
                context.check_replay(client, owner.user)
                count += owner.count
    return f"{context.rounds} rounds, {count:,} events sent, some deleted"


def bytes_are_gone(context):
    """After a deletion that waits, no file of the store has the bytes of the user, of the event ids or of an item that only this user met."""
    folder = context.folder("bytes")
    with context.serve(folder).ready() as service:
        client = service.client()
        for number in range(20):
            for user in ("Rumpelstilzchen", "Rapunzel"):
                client.append(user, {"item": f"secret-of-{user}" if number == 7 else f"i{number}", "eventId": f"{user}/{number}"}, recommend=5)
        if not holders(folder, b"Rumpelstilzchen"):
            raise Failed("the bytes were never there, so this check finds nothing")
        client.expect("DELETE", "/v1/users/Rumpelstilzchen?wait=true")
        left = holders(folder, b"Rumpelstilzchen")
        if left:
            raise Failed(f"still in {left} while the server runs")
        context.check_replay(client, "Rapunzel")
        client.expect("DELETE", "/v1/users/Rapunzel/events?item=secret-of-Rapunzel&wait=true")
        left = holders(folder, b"secret-of-Rapunzel")
        if left:
            raise Failed(f"an item that nobody has an event of is still in {left}")
        context.check_replay(client, "Rapunzel")
        service.stop()
    left = holders(folder, b"Rumpelstilzchen")
    if left:
        raise Failed(f"in {left} after the end of the server")
    return "a user and an item, with no byte left"


def holders(folder, needle):
    """Files of the store that hold these bytes."""
    paths = [os.path.join(place, name) for place, _, names in os.walk(os.path.join(folder, "store")) for name in names]
    return [path for path in paths if needle in open(path, "rb").read()]


def two_servers(context):
    """The second server on one store says why it does not start; the first goes on."""
    folder = context.folder("two-servers")
    with context.serve(folder).ready() as first:
        first.client().append("u", {"item": "i1"})
        with context.serve(folder) as second:
            if second.serves():
                raise Failed("two servers on one store")
            if not 64 <= second.process.returncode <= 78:
                raise Failed(f"the second ended with {second.process.returncode}: {second.errors}")
            said = second.errors.strip().splitlines()[-1]
        first.client().append("u", {"item": "i2"})
        context.check_replay(first.client(), "u")
        first.stop()
    return said


CHECKS = {"kill-with-deletions": kill_with_deletions, "bytes-are-gone": bytes_are_gone, "two-servers": two_servers}
