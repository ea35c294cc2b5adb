"""Sends events and remembers what was promised about each, to be compared with the log afterwards."""

import threading
from collections import Counter

from context import ITEMS
from service import Failed, Lost


class Ledger:
    """Requests by user: the events of each, and their receipts, or None where no reply came."""

    def __init__(self, name):
        self.name, self.count, self.requests, self.lock = name, 0, [], threading.Lock()
        self.replies = Counter()

    def make_events(self, generator):
        """One event or a few, some late, some of items that the model does not know."""
        events = []
        for _ in range(generator.choice([1, 1, 1, 4])):
            with self.lock:
                self.count += 1
                number = self.count
            item = f"i{generator.randrange(ITEMS)}" if generator.random() < 0.95 else f"new{generator.randrange(5)}"
            event = {"item": item, "eventId": f"{self.name}-{number}"}
            if generator.random() < 0.15:
                event["timestamp"] = 1_700_000_000 + generator.randrange(10**6)
            events.append(event)
        return events

    def send(self, client, user, events, recommend=10, refusals=()):
        """Sends an array; `refusals` are statuses that may come. Returns the status, 0 for none. Only 507 promises that nothing was stored:
        after 503 for a disk that fails, as after no reply, a client has to try again to know."""
        try:
            status, value = client.ask("POST", f"/v1/users/{user}/events?recommend={recommend}", events)
        except Lost:
            status, value = 0, None
        if status not in (0, 200, *refusals):
            raise Failed(f"POST of {len(events)} events: {status}: {str(value)[:500]}")
        if status == 200:
            self.check_receipts(events, value["events"])
        with self.lock:
            self.replies[status] += 1
            if status != 507:
                self.requests.append((user, events, value["events"] if status == 200 else None))
        return status

    @staticmethod
    def check_receipts(events, receipts):
        if [receipt.get("eventId") for receipt in receipts] != [event["eventId"] for event in events]:
            raise Failed(f"receipts {receipts} for events {events}")

    @property
    def users(self):
        return sorted({user for user, _, _ in self.requests})

    @property
    def acknowledged(self):
        return sum(len(events) for _, events, receipts in self.requests if receipts)

    def check(self, client):
        """Every acknowledged event is there once and as it was acknowledged, an array whole or not at all, and nothing else is there.
        Returns the stored events by user."""
        stored = {user: client.events(user) for user in self.users}
        for user, events in stored.items():
            self.check_user(user, events)
        return stored

    def check_user(self, user, stored):
        names = [event.get("eventId") for event in stored]
        doubled = [name for name, often in Counter(names).items() if often > 1]
        if doubled:
            raise Failed(f"{user}: stored more than once: {doubled}")
        by_name, expected = dict(zip(names, stored)), set()
        for owner, events, receipts in self.requests:
            if owner != user:
                continue
            present = [event["eventId"] in by_name for event in events]
            expected.update(event["eventId"] for event in events)
            if receipts and not all(present):
                raise Failed(f"{user}: acknowledged and lost: {events}")
            if any(present) and not all(present):
                raise Failed(f"{user}: an array stored in part: {events}: {present}")
            for event, receipt in zip(events, receipts or []):
                found = by_name[event["eventId"]]
                if (found["position"], found["timestamp"], found["item"]) != (receipt["position"], receipt["timestamp"], event["item"]):
                    raise Failed(f"{user}: acknowledged {event} as {receipt}, stored {found}")
        if not expected.issuperset(names):
            raise Failed(f"{user}: stored and never sent: {set(names) - expected}")
        times = [event["timestamp"] for event in stored]
        if times != sorted(times, key=seconds):
            raise Failed(f"{user}: not in order of time: {times}")

    def check_retries(self, client, stored):
        """The same requests once more: what is there is a duplicate at its old position, what is not is stored now."""
        there = {(user, event["eventId"]): event["position"] for user, events in stored.items() for event in events}
        requests, self.requests = self.requests, []
        for user, events, _ in requests:
            if self.send(client, user, events) != 200:
                raise Failed(f"no reply to a retry of {events}")
            for event, receipt in zip(events, self.requests[-1][2]):
                position = there.get((user, event["eventId"]))
                if receipt["duplicate"] != (position is not None) or position not in (None, receipt["position"]):
                    raise Failed(f"{user}: a retry of {event}, stored at {position}, was answered {receipt}")


def seconds(time):
    """A time of a reply as something to compare: whole seconds as text, then the fraction."""
    whole, _, fraction = time.rstrip("Z").partition(".")
    return whole, fraction.ljust(9, "0")
