"""What a person at a terminal sees, and what signals do."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from case import Case, Failure
from program import TIME_LIMIT, Outcome
from screen import Screen
from syscalls import identity
from world import FILTERS, LONG, copy

WIDTHS = (200, 80, 40, 20)
TERMS = ("xterm", "dumb", "")
MANY = ["--epochs", "500", "--batch-tokens", "16", "--threads", "1", "--hidden-size", "8", "--layers", "1"]
SIGNALS = {"int": [signal.SIGINT], "term": [signal.SIGTERM], "hup": [signal.SIGHUP], "int-int": [signal.SIGINT] * 2,
           "int-term": [signal.SIGINT, signal.SIGTERM], "quick": [signal.SIGINT] * 5}


def cases(context, seed, count):
    for width in WIDTHS:
        for term in TERMS:
            for name, arguments in (("train", ["train", "data", "-m", "out", *MANY]), ("prepare", ["prepare", "big.csv", "-o", "out", *FILTERS])):
                yield Case(
                    "terminal", f"{name}:{width}:{term or 'unset'}",
                    lambda case, a=arguments, w=width, t=term: shown(context, case, a, w, t))
    for name, numbers in SIGNALS.items():
        for term in ("xterm", "dumb"):
            yield Case("terminal", f"signal:{name}:{term}", lambda case, n=numbers, t=term: stopped(context, case, n, t))
    yield Case("terminal", "titles", lambda case: control_characters(context, case))


def run_in_terminal(context, arguments, folder, width, term, signals=()):
    """Runs the program with all streams at a terminal. Signals come one after the other once it has a checkpoint.

    The terminal changes no newline, so that every carriage return is the program's."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    modes = termios.tcgetattr(follower)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(follower, termios.TCSANOW, modes)
    environment = {"TERM": term} if term else {"TERM": ""}
    environment["COLUMNS"] = ""
    process = context.program.start(arguments, folder, environment=environment, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    pending, data, deadline = list(signals), b"", time.monotonic() + 3 * TIME_LIMIT
    checkpoint = os.path.join(folder, "out.training", "checkpoint.safetensors")
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.005)[0]:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the other end is closed
                piece = b""
            data += piece
            if not piece:
                break
        if pending and os.path.exists(checkpoint) and process.poll() is None:
            process.send_signal(pending.pop(0))
    timed_out = time.monotonic() >= deadline
    if timed_out:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    os.close(leader)
    return Outcome(arguments, process.returncode, b"", data, timed_out)


def look(outcome, width, term):
    """What is wrong with what was shown."""
    text = outcome.error.decode(errors="replace")
    screen, found = Screen(width), []
    screen.feed(text)
    if screen.stale:
        found.append(("stale", f"{len(screen.stale)} rows stay of lines that did not fit: {screen.stale[0]!r}"))
    if screen.unknown:
        found.append(("control", f"control characters {sorted(set(screen.unknown))[:5]}"))
    if term != "xterm" and ("\x1b" in text or "\r" in text):
        found.append(("not-plain", "escapes or carriage returns for a terminal that may not know them"))
    if term == "xterm" and "\r" not in text and outcome.arguments[0] == "train":
        found.append(("no-progress", "no line that moves"))
    return screen, found


def failures(context, case, folder, found):
    if not found:
        context.discard(folder)
    return [Failure(f"terminal/{case.name.replace(':', '/')}/{kind}", f"{case.name}: {detail}", folder=folder) for kind, detail in found]


def shown(context, case, arguments, width, term):
    folder = context.folder(case)
    copy(context.world, folder, ["data"])
    if arguments[0] == "prepare":
        with open(os.path.join(folder, "big.csv"), "w") as file:
            file.write("user_id,item_id,timestamp\n" + "".join(f"u{n % 997},i{n % 101},{n}\n" for n in range(200_000)))
    outcome = run_in_terminal(context, arguments, folder, width, term)
    found = outcome.problems() if outcome.status != 0 else []
    if outcome.status != 0:
        found.append(("ended", f"status {outcome.status}"))
    return failures(context, case, folder, found + look(outcome, width, term)[1])


def stopped(context, case, signals, term):
    folder = context.folder(case)
    copy(context.world, folder, ["data"])
    arguments = ["train", "data", "-m", "out", *LONG]
    arguments[arguments.index("--epochs") + 1] = "3000"
    outcome = run_in_terminal(context, arguments, folder, 80, term, signals)
    screen, found = look(outcome, 80, term)
    if outcome.timed_out or outcome.status != 75:
        found.append(("code", f"status {outcome.status}, expected 75: {screen.text()[-5:]}"))
    if not os.path.exists(os.path.join(folder, "out.training", "checkpoint.safetensors")):
        found.append(("checkpoint", "there is no checkpoint"))
    said = [row for row in screen.text() if "go on with --resume" in row]
    if len(signals) == 1 and not any(row.startswith("recblr: ") for row in said):
        found.append(("message", f"the message has no line of its own: {screen.text()[-3:]}"))
    return failures(context, case, folder, found)


def control_characters(context, case):
    """Titles and ids reach a terminal without their control characters."""
    folder = context.folder(case)
    copy(context.world, folder, ["log.csv"])
    with open(os.path.join(folder, "titles.tsv"), "w") as file:
        file.write("item_id\ttitle\n" + "".join(f"i{n}\t\x1b[31mred\x07 {n}\x1b[2J\u202e\u009b5m\n" for n in range(15)))
    found = []
    for arguments in (
            ["prepare", "log.csv", "-o", "data", "--titles", "titles.tsv", *FILTERS],
            ["train", "data", "-m", "model", *LONG], ["recommend", "model", "--history", "i1,i2"],
            ["recommend", "model", "--history", "\x1b[31mred\x07"]):
        outcome = run_in_terminal(context, arguments, folder, 120, "dumb")
        text = outcome.error.decode(errors="replace")
        raw = sorted({repr(c) for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e")})
        if raw:
            found.append(("control", f"{arguments[0]} shows {raw}"))
    return failures(context, case, folder, found)
