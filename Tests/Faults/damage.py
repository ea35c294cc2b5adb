"""Damaged models, checkpoints and databases: refused with a clear message, and what served before goes on."""

import os
import shutil
import sqlite3

from ledger import Ledger
from service import Failed

ALLOWED_CODES = range(64, 79)


def flip(path, generator, start=0):
    data = bytearray(open(path, "rb").read())
    place = generator.randrange(min(start, len(data) - 1), len(data))
    data[place] ^= 1 << generator.randrange(8)
    open(path, "wb").write(data)


def cut(path, generator, start=0):
    os.truncate(path, generator.randrange(start, os.path.getsize(path)))


def garbage(path, generator, start=0):
    open(path, "wb").write(generator.randbytes(os.path.getsize(path)))


def remove(path, generator, start=0):
    os.remove(path)


def same_answers(client, expected):
    value = client.expect("GET", "/v1/users/someone/recommendations?n=20")
    return (value["modelVersion"], [(item["item"], item["score"]) for item in value["items"]]) == expected


def models(context):
    """Each file of a version is damaged in turn; its release is refused, and the version before answers as before."""
    generator, tried = context.random("models"), 0
    names = ["config.json", "items.tsv", "model.safetensors", "popularity.i64"]
    for name in [name for name in names if os.path.exists(os.path.join(context.models, "v2", name))]:
        for harm in (flip, cut, garbage, remove):
            folder = context.folder("models-damage")
            models = context.models_copy(folder)
            with context.serve(folder, models=models, store=False).ready() as service:
                client = service.client()
                client.expect("POST", "/v1/models/v1:activate")
                client.append("someone", [{"item": f"i{n}"} for n in range(8)])
                value = client.expect("GET", "/v1/users/someone/recommendations?n=20")
                expected = ("v1", [(item["item"], item["score"]) for item in value["items"]])
                harm(os.path.join(models, "v2", name), generator)
                status, value = client.ask("POST", "/v1/models/v2:activate")
                label = f"{harm.__name__} of {name}"
                if status == 200 or status == 500 or not isinstance(value, dict) or not value.get("detail"):
                    raise Failed(f"{label}: its release was answered {status}: {value}")
                if not same_answers(client, expected):
                    raise Failed(f"{label}: another answer after the refused release")
                service.stop()
            tried += 1
            only = os.path.join(folder, "broken")
            shutil.copytree(os.path.join(models, "v2"), os.path.join(only, "v2"))
            with context.serve(folder, models=only, store=False) as service:
                if service.serves():
                    raise Failed(f"{label}: served as the only version")
                check_refusal(service, label)
    return f"{tried} damaged releases refused"


def check_refusal(service, label):
    said = service.errors.strip()
    if service.process.returncode not in ALLOWED_CODES or not said or "Fatal error" in said:
        raise Failed(f"{label}: ended with {service.process.returncode}: {said[-500:]!r}")


def filled_store(context, folder, name, is_killed=False):
    ledger, generator = Ledger(name), context.random(name)
    with context.serve(folder).ready() as service:
        client = service.client()
        for _ in range(150):
            ledger.send(client, f"{name}-{generator.randrange(5)}", ledger.make_events(generator))
        expected = {user: client.recommendations(user) for user in ledger.users}
        if not is_killed:
            service.stop()
    return ledger, expected


def databases(context):
    """Every file of a store that was closed, and of one whose server was killed, is damaged in turn: the program refuses to start, or
    serves what it can and calls nothing damaged whole."""
    counts = {"refused at the start": 0, "served": 0}
    for is_killed in (False, True):
        original = context.folder("database")
        ledger, _ = filled_store(context, original, "database", is_killed)
        store = os.path.join(original, "store")
        names = [name for name in sorted(os.listdir(store)) if os.path.getsize(os.path.join(store, name)) > 0]
        generator = context.random(f"databases/{is_killed}")
        for number in range(context.rounds):
            for name in names:
                for harm in (flip, cut, garbage):
                    label = f"{harm.__name__} of {name}, round {number}"
                    counts[damaged_database(context, store, name, harm, generator, ledger.users, label)] += 1
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def damaged_database(context, store, name, harm, generator, users, label):
    folder = context.folder("database-damage")
    path = os.path.join(folder, "store", name)
    shutil.copytree(store, os.path.dirname(path))
    harm(path, generator)
    damaged = open(path, "rb").read()
    with context.serve(folder) as service:
        if service.serves():
            if harm is garbage and damaged and name.endswith((".sqlite", ".db")):
                raise Failed(f"{label}: served from what is no database")
            ask_all(service, users, label)
            return "served"
        check_refusal(service, label)
    # Whoever opens a database that a killed process left may move its write-ahead log into it.
    log = os.path.join(store, name + "-wal")
    has_log = os.path.exists(log) and os.path.getsize(log) > 0
    if not has_log and open(path, "rb").read() != damaged:
        raise Failed(f"{label}: refused, and yet the file was changed")
    return "refused at the start"


def ask_all(service, users, label):
    client = service.client()
    for user in users:
        for path in (f"/v1/users/{user}/events", f"/v1/users/{user}/recommendations"):
            status, value = client.ask("GET", path)
            if status not in (200, 404, 503):
                raise Failed(f"{label}: GET {path}: {status}: {str(value)[:300]}")
    status, value = client.ask("POST", f"/v1/users/{users[0]}/events", {"item": "i1"})
    if status not in (200, 503):
        raise Failed(f"{label}: POST of an event: {status}: {str(value)[:300]}")
    service.alive()


def checkpoints(context):
    """Bytes of kept states are changed under a stopped server: it must notice, and compute them from the log."""
    folder = context.folder("checkpoints")
    ledger, expected = filled_store(context, folder, "checkpoints")
    generator, changed = context.random("checkpoint-bytes"), 0
    for place, _, names in os.walk(os.path.join(folder, "store")):
        for name in names:
            changed += damage_rows(os.path.join(place, name), generator)
    if not changed:
        context.note("the store keeps no row whose table is called after checkpoints: none was damaged")
    with context.serve(folder).ready() as service:
        client = service.client()
        for user in ledger.users:
            if client.recommendations(user) != expected[user]:
                raise Failed(f"{user}: other recommendations from a damaged checkpoint")
            context.check_replay(client, user)
    return f"{changed} rows changed"


def damage_rows(path, generator):
    """Flips a bit in every BLOB of tables of checkpoints. Returns how many."""
    if path.endswith(("-wal", "-shm")) or open(path, "rb").read(15) != b"SQLite format 3":
        return 0
    changed = 0
    database = sqlite3.connect(path)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) LIKE '%checkpoint%'")]
    for table in tables:
        columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
        for column in columns:
            rows = database.execute(f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}") = \'blob\' AND length("{column}") > 64').fetchall()
            for (value,) in rows:
                harmed = bytearray(value)
                harmed[generator.randrange(len(harmed))] ^= 1 << generator.randrange(8)
                database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE "{column}" = ?', (bytes(harmed), value))
                changed += 1
    database.commit()
    database.close()
    return changed


CHECKS = {"damaged-models": models, "damaged-databases": databases, "damaged-checkpoints": checkpoints}
