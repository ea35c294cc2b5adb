"""kill -9 at random moments under load, and power that is lost: nothing that was acknowledged may be gone or be there twice."""

import os
import threading
import time

from context import run_threads
from ledger import Ledger
from service import Failed

THREADS = 6


def load_until_lost(service, ledger, users, generator):
    client = service.client()
    while ledger.send(client, generator.choice(users), ledger.make_events(generator)) != 0:
        pass
    client.close()


def kill_rounds(context, name, disk, folder, rounds):
    """Each round goes on with the store of the one before. `disk`: power is lost with each kill."""
    acknowledged, lost = 0, []
    for number in range(rounds):
        generator = context.random(f"{name}/{number}")
        ledger = Ledger(f"{name}-{number}")
        users = [f"{name}-{number}-{user}" for user in range(8)]
        with context.serve(folder, disk=disk).ready() as service:
            moment = generator.uniform(0.02, 1.0)
            killer = threading.Timer(moment, service.kill)
            killer.daemon = True
            killer.start()
            seeds = [context.random(f"{name}/{number}/{thread}") for thread in range(THREADS)]
            run_threads([lambda seed=seed: load_until_lost(service, ledger, users, seed) for seed in seeds])
            killer.join()
        if disk:
            lost.append(disk.lose_power(generator))
        with context.serve(folder).ready() as service:
            check_round(context, service, ledger)
            if number % 2:  # half of the rounds begin after an orderly stop, half after another kill
                service.stop()
        acknowledged += ledger.acknowledged
    if acknowledged == 0:
        raise Failed("no event was acknowledged before any kill: nothing was tried")
    return f"{rounds} rounds, {acknowledged:,} events acknowledged" + (f"; the last time {lost[-1]}" if lost else "")


def check_round(context, service, ledger):
    client = service.client()
    stored = ledger.check(client)
    for user in ledger.users:
        context.check_replay(client, user, stored[user])
    ledger.check_retries(client, stored)
    stored = ledger.check(client)
    for user in ledger.users:
        context.check_replay(client, user, stored[user])
    client.close()


def kill(context):
    return kill_rounds(context, "kill", None, context.folder("kill"), context.rounds)


def power(context):
    folder = context.folder("power")
    disk = context.disk(folder)
    if not disk:
        return "skipped"
    disk.keep_journal()
    return kill_rounds(context, "power", disk, folder, context.rounds)


def kill_while_starting(context):
    """A server that is killed while it opens a store, again and again."""
    folder = context.folder("starting")
    generator, ledger = context.random("starting"), Ledger("starting")
    with context.serve(folder).ready() as service:
        client = service.client()
        for _ in range(50):
            ledger.send(client, f"s{generator.randrange(4)}", ledger.make_events(generator))
        started = time.monotonic()
    for _ in range(context.rounds):
        with context.serve(folder) as service:
            time.sleep(generator.uniform(0, 0.3))
    with context.serve(folder).ready() as service:
        check_round(context, service, ledger)
    return f"{context.rounds} kills, {ledger.acknowledged} events still there"


CHECKS = {"kill": kill, "power": power, "kill-while-starting": kill_while_starting}
