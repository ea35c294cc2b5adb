"""These checks themselves, ended before their time: no server goes on without them."""

import glob
import os
import signal
import subprocess
import sys
import time

from service import TIME_LIMIT, Failed

HERE = os.path.dirname(os.path.abspath(__file__))


def processes_with(word):
    """Numbers of the processes with this word among their arguments."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:  # nothing is in it once the process has ended
                if word.encode() in file.read():
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return found


def wait_until(condition, what):
    limit = time.monotonic() + TIME_LIMIT
    while not condition():
        if time.monotonic() > limit:
            raise Failed(f"not after {TIME_LIMIT} s: {what}")
        time.sleep(0.02)


def end(context, number):
    """Ends a run of these checks by a signal as soon as it has started a server."""
    folder = context.folder(f"ended-{number.name}")
    with open(os.path.join(folder, "log"), "wb") as log:
        checks = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "faults.py"), context.program, "--only", "kill", "--rounds", "1000"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "TMPDIR": folder}, start_new_session=True)
    try:
        # The log is there before its server is, and the check kills servers: one look would miss them at times.
        log_path = f"{folder}/recblr-faults-*/kill/server.log"
        wait_until(
            lambda: glob.glob(log_path) and len(processes_with(folder)) >= 2 or checks.poll() is not None,
            "a server to leave behind")
        if checks.poll() is not None:
            raise Failed(f"the checks ended with {checks.returncode} by themselves")
        checks.send_signal(number)
        status = checks.wait(timeout=TIME_LIMIT)
    finally:
        checks.kill()
        checks.wait()
    wait_until(lambda: not processes_with(folder), f"all servers of checks that {number.name} ended are gone")
    left = glob.glob(f"{folder}/recblr-faults-*")
    if number != signal.SIGKILL and (left or status != 128 + number):
        raise Failed(f"{number.name}: ended with {status}, left {left}")


def ended_checks(context):
    if not os.path.isdir("/proc/self"):
        context.note("no /proc: not known whether checks that are ended leave servers")
        return "skipped"
    numbers = (signal.SIGTERM, signal.SIGKILL)
    for number in numbers:
        end(context, number)
    return "no server outlives " + ", ".join(number.name for number in numbers)


CHECKS = {"ended-checks": ended_checks}
