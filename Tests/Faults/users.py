"""Many clients of one user, and many users: events of one are one after the other, and nobody sees what another did."""

from context import ITEMS, run_threads
from ledger import Ledger
from service import Failed, scores

THREADS = 16


def one_user(context):
    """Concurrent events of a user are all there, in one order: that of the log, and each client's own."""
    folder, ledger, own = context.folder("one-user"), Ledger("one"), {}

    def send(service, thread):
        client, generator, own[thread] = service.client(), context.random(f"one/{thread}"), []
        for number in range(40):
            event = {"item": f"i{generator.randrange(ITEMS)}", "eventId": f"one-{thread}-{number}"}
            ledger.send(client, "one", [event])
            own[thread].append(event["eventId"])
        client.close()

    with context.serve(folder).ready() as service:
        run_threads([lambda thread=thread: send(service, thread) for thread in range(THREADS)])
        client = service.client()
        stored = ledger.check(client)["one"]
        positions = [event["position"] for event in stored]
        if positions != sorted(set(positions)):
            raise Failed(f"positions {positions}")
        for thread, names in own.items():
            found = [event["eventId"] for event in stored if event["eventId"] in set(names)]
            if found != names:
                raise Failed(f"client {thread} sent {names}, the log has {found}")
        context.check_replay(client, "one", stored)
        service.stop()
    return f"{len(stored)} events of {THREADS} clients"


def same_event(context):
    """Many clients send the same event at once: it is stored once, and one of them hears that it was new."""
    folder = context.folder("same-event")
    with context.serve(folder).ready() as service:
        for number in range(30):
            receipts = []

            def send():
                client = service.client()
                receipts.extend(client.append("same", {"item": "i1", "eventId": f"same-{number}"})["events"])
                client.close()

            run_threads([send] * 8)
            if [receipt["duplicate"] for receipt in receipts].count(False) != 1 or len({receipt["position"] for receipt in receipts}) != 1:
                raise Failed(f"eight times the same event: {receipts}")
        if len(service.client().events("same")) != 30:
            raise Failed("not 30 events")
        service.stop()
    return "30 events, each sent eight times at once"


def isolation(context):
    """Under load each reply is that of the user's history alone, whatever the others do at the same time."""
    folder = context.folder("isolation")
    generator, users, events = context.random("isolation"), 48, 25 if context.long else 12
    histories = {f"alone-{user}": [f"i{generator.randrange(ITEMS)}" for _ in range(events)] for user in range(users)}
    reference = context.reference.client()
    expected = {
        user: [scores(reference.append(user, {"item": item}, recommend=20)["recommendations"]) for item in items]
        for user, items in histories.items()}

    def play(service, names):
        client = service.client()
        for step in range(events):
            for user in names:
                found = scores(client.append(user, {"item": histories[user][step]}, recommend=20)["recommendations"])
                if found != expected[user][step]:
                    raise Failed(f"{user} after {histories[user][:step + 1]}: {found[:3]} instead of {expected[user][step][:3]}")
        client.close()

    names = list(histories)
    with context.serve(folder, "--state-memory", "64KB").ready() as service:
        run_threads([lambda part=part: play(service, names[part::THREADS]) for part in range(THREADS)])
        client = service.client()
        batch = client.expect("POST", "/v1/recommendations:batch", {"users": names, "n": 20, "excludeSeen": "never"})["results"]
        for user, found in zip(names, batch):
            if scores(found) != expected[user][-1]:
                raise Failed(f"{user} in a batch: {found} instead of {expected[user][-1][:3]}")
        service.stop()
    return f"{users} users, {users * events} replies"


CHECKS = {"one-user": one_user, "same-event": same_event, "isolation": isolation}
