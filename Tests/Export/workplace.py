"""A log made here, small models of every kind that the program trains on it, and what the program recommends: for all tests of exports."""

import atexit
import functools
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

PROGRAM = os.environ["RECBLR"]
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="recblr-export-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

ITEMS = 30
WINDOW = 1024  # of the repeat-aware head
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65, 200, 1100]
ASKED_AT = 1_600_000_000

# What `train` is given for each kind of model, beside the sizes that all have.
KINDS = {
    "default": "",
    "plain": "--no-repeat-aware",
    "transitions": "--transitions",
    "only-transitions": "--transitions --no-repeat-aware",
    "one-layer": "--layers 1 --without-feed-forward",
    "recurrence-only": "--recurrence-only --no-repeat-aware --without-decay-ring",
    "no-convolution": "--convolution-width 0",
    "one-tap": "--convolution-width 1 --expansion 1",
    "one-wide": "--hidden-size 1",
    "lru": "--mixer lru",
    "attention": "--mixer attention --attention-window 5",
    "wide-attention": "--mixer attention --attention-window 200 --no-repeat-aware",
    "time": "--time",
    "time-one-layer": "--time --layers 1 --no-repeat-aware --convolution-width 0",
}
IMPORTED = "imported"  # weights of the paper's code, which begin from a state that is not zero


def recblr(*arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    """Runs the program in the folder; fails unless it ends with `code`."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == code, f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@functools.cache
def histories() -> dict[str, list[tuple[str, int]]]:
    """The events of each user: item and time in seconds. Some items are often repeated, some times equal."""
    chance = random.Random(7)
    users = {}
    for number, length in enumerate(LENGTHS + [12] * 40):
        item, time, events = chance.randrange(ITEMS - 2), 1_500_000_000 + chance.randrange(10_000_000), []
        for _ in range(length):
            events.append((f"i{item}", time))
            item = (item + chance.choice([0, 1, 1, 2, -3])) % (ITEMS - 2)
            time += chance.choice([0, 5, 3_600, 86_400])
        if length > WINDOW:  # the one is just outside of the window, the other just inside
            events[-WINDOW - 1] = ("i28", events[-WINDOW - 1][1])
            events[-WINDOW] = ("i29", events[-WINDOW][1])
        users[f"u{number}"] = events
    return users


@functools.cache
def dataset() -> str:
    with open(FOLDER / "log.csv", "w") as log:
        log.write("user_id,item_id,timestamp\n")
        for user, events in histories().items():
            log.writelines(f"{user},{item},{time}\n" for item, time in events)
    with open(FOLDER / "titles.csv", "w") as titles:
        titles.write('item_id,title\ni3,"The ""third"", é"\n')
    recblr("prepare", "log.csv", "--titles", "titles.csv", "--output", "data", "--min-user-events", 1, "--min-item-events", 1)
    return "data"


@functools.cache
def model(kind: str) -> str:
    """The folder of a model of this kind."""
    if kind == IMPORTED:
        recblr("export", model("plain"), "--format", "recbole", "--output", "plain.safetensors")
        recblr("import", "plain.safetensors", "--length", 50, "--items", "data/items.tsv", "--model", kind)
        return kind
    options = KINDS[kind].split()
    for option, value in [("--hidden-size", 8), ("--batch-tokens", 64), ("--learning-rate", 0.02)]:
        if option not in options:
            options += [option, value]
    recblr("train", dataset(), "--model", kind, "--epochs", 2, "--threads", 1, "--split", "none", *options)
    return kind


def recommended(folder: str, *options: str) -> dict[str, dict[str, float]]:
    """The score of every item for every user."""
    done = recblr(
        "recommend", folder, "--data", dataset(), "--all-users", "-k", ITEMS, "--no-exclude-seen", "--format", "json", *options)
    return {
        answer["user"]: {best["id"]: best["score"] for best in answer["recommendations"]}
        for answer in json.loads(done.stdout)
    }


@functools.cache
def export(kind: str) -> pathlib.Path:
    recblr("export", model(kind), "--format", "onnx", "--output", kind + "-onnx")
    return FOLDER / (kind + "-onnx")
