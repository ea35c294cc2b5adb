"""A disk that is full or fails, and a clock that jumps: what is refused is refused with 507 or 503, and nothing else suffers."""

import errno
import os
import shutil
import subprocess
import threading
import time

from context import run_threads
from kills import check_round
from ledger import Ledger
from service import Failed

FULL, BROKEN = {507}, {503, 507}
THREADS = 4


def load_while(service, ledger, is_over, seed, refusals):
    client = service.client()
    while not is_over.is_set():
        users = [f"{ledger.name}-{user}" for user in range(6)]
        if ledger.send(client, seed.choice(users), ledger.make_events(seed), refusals=refusals) in refusals:
            time.sleep(0.01)
    client.close()


def trouble(context, name, refusals, begin, end, reads=True):
    """A load during which a disk goes wrong and comes back. `refusals` are the statuses allowed meanwhile."""
    folder = context.folder(name)
    disk = context.disk(folder)
    if not disk:
        return "skipped"
    ledger, is_over = Ledger(name), threading.Event()
    with context.serve(folder, disk=disk).ready() as service:
        client = service.client()
        for event in range(20):
            ledger.send(client, f"{name}-reader", ledger.make_events(context.random(f"{name}/reader/{event}")))
        bodies = [
            lambda seed=context.random(f"{name}/{thread}"): load_while(service, ledger, is_over, seed, refusals)
            for thread in range(THREADS)]

        def conduct():
            try:
                conduct_trouble(service, client, ledger, f"{name}-reader", lambda: begin(disk), lambda: end(disk), refusals, reads)
            finally:
                is_over.set()

        run_threads([*bodies, conduct])
        check_round(context, service, ledger)
        service.kill()
    disk.set()
    with context.serve(folder).ready() as service:
        check_round(context, service, ledger)
    refused = sum(ledger.replies[status] for status in refusals)
    return f"{refused:,} requests refused, {ledger.acknowledged:,} events acknowledged"


def conduct_trouble(service, client, ledger, reader, begin, end, refusals, reads):
    time.sleep(0.5)
    expected = client.recommendations(reader)
    begin()
    limit = time.monotonic() + 20
    while not any(ledger.replies[status] for status in refusals):
        if time.monotonic() > limit:
            raise Failed(f"nothing was refused in 20 s: {dict(ledger.replies)}")
        time.sleep(0.01)
    time.sleep(1)
    if reads and client.recommendations(reader) != expected:
        raise Failed("other recommendations while events are refused")
    client.expect("GET", "/health/live")
    end()
    before = ledger.replies[200]
    limit = time.monotonic() + 30
    while ledger.replies[200] < before + 50:
        service.alive()
        if time.monotonic() > limit:
            raise Failed(f"does not go on after the trouble is over: {dict(ledger.replies)}")
        time.sleep(0.01)


def injected(name, refusals, reads=True, **errors):
    def check(context):
        return trouble(context, name, refusals, lambda disk: disk.set(**errors), lambda disk: disk.set(), reads)
    return check


def full_disk(context):
    """A file system that is really full, but not of the store alone, whose write-ahead log reaches 16 MB."""
    folder = context.folder("full-disk")
    place = os.path.join(folder, "store")
    os.makedirs(place)
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True).returncode == 0
    if not mounted:
        context.note("no file system could be mounted: none was really full")
        return "skipped"
    try:
        filler = os.path.join(place, "filler")
        return trouble_on_mount(context, folder, filler)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def trouble_on_mount(context, folder, filler):
    ledger, is_over = Ledger("full"), threading.Event()

    def fill():
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    with context.serve(folder).ready() as service:
        client = service.client()
        for event in range(20):
            ledger.send(client, "full-reader", ledger.make_events(context.random(f"full/{event}")))

        def conduct():
            try:
                conduct_trouble(service, client, ledger, "full-reader", fill, lambda: os.remove(filler), FULL, reads=True)
            finally:
                is_over.set()

        run_threads([conduct] + [
            lambda seed=context.random(f"full/{thread}"): load_while(service, ledger, is_over, seed, FULL) for thread in range(THREADS)])
        check_round(context, service, ledger)
    with context.serve(folder).ready() as service:
        check_round(context, service, ledger)
    return f"{ledger.replies[507]:,} requests refused, {ledger.acknowledged:,} events acknowledged"


def start_on_full_disk(context):
    """A server that starts on a full disk serves what it has, or says why it does not; later it starts as ever."""
    folder = context.folder("start-full")
    disk = context.disk(folder)
    if not disk:
        return "skipped"
    ledger = Ledger("start")
    with context.serve(folder, disk=disk).ready() as service:
        client = service.client()
        for event in range(30):
            ledger.send(client, f"start-{event % 3}", ledger.make_events(context.random(f"start/{event}")))
    disk.set(write=errno.ENOSPC)
    with context.serve(folder, disk=disk) as service:
        serves = service.serves()
        if serves:
            status, _ = service.client().ask("POST", "/v1/users/start-0/events", [{"item": "i1", "eventId": "refused"}])
            if status not in FULL:
                raise Failed(f"an event on a full disk: {status}")
        elif not 64 <= service.process.returncode <= 78:
            raise Failed(f"ended with {service.process.returncode}: {service.errors[-500:]}")
    with context.serve(folder).ready() as service:
        check_round(context, service, ledger)
    return "served" if serves else "refused to start"


def clock_backwards(context):
    """The clock goes a day forward and two back: a user's events stay in the order in which they came."""
    folder = context.folder("clock")
    disk = context.disk(folder)
    if not disk:
        return "skipped"
    jumps, received, generator = [0, 86_400, -86_400, -86_401, 3_600, 0], [], context.random("clock")

    def append(client):
        for _ in range(5):
            received.extend(client.append("clock", {"item": f"i{generator.randrange(60)}"}, recommend=10)["events"])

    for jump in jumps:
        disk.set(clock=jump)
        with context.serve(folder, disk=disk).ready() as service:
            client = service.client()
            append(client)
            for other in jumps:
                disk.set(clock=other)
                append(client)
            client.expect("GET", "/health/ready")
            context.check_replay(client, "clock")
            service.stop()
    disk.set()
    with context.serve(folder).ready() as service:
        stored = service.client().events("clock")
        if [event["position"] for event in stored] != [event["position"] for event in received]:
            raise Failed("events are not in the order in which they came")
        context.check_replay(service.client(), "clock", stored)
    return f"{len(received)} events over {len(jumps) ** 2} jumps"


CHECKS = {
    "disk-full": injected("disk-full", FULL, write=errno.ENOSPC),
    "full-file-system": full_disk,
    "write-errors": injected("write-errors", BROKEN, write=errno.EIO),
    "sync-errors": injected("sync-errors", BROKEN, sync=errno.EIO),
    "read-errors": injected("read-errors", BROKEN, reads=False, read=errno.EIO, write=errno.EIO),
    "start-on-full-disk": start_on_full_disk,
    "clock": clock_backwards,
}
