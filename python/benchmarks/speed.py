"""How quick Python is beside the command, in one run: `python speed.py [DATASET_FOLDER]`, with the wheel and polars installed.

- a dataset of 10 million events from a data frame, in events a second (the command reads the same events as CSV);
- `session.push` and `top(10)` with a catalogue of 3,416 items, in microseconds: medians, in sessions of 165 events (MovieLens-1M's mean) and after 2,000;
- a training, in seconds, beside the command's of the same data, options and seed, taking turns.

Prints JSON. `--events` and `--epochs` make it shorter.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import polars

import recblr

COMMAND = shutil.which("recblr", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
ITEMS = 3416


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", help="a folder made by recblr prepare, to train on; left out, a made-up log")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = {"version": recblr.__version__, "cores": os.cpu_count()}
        results["dataset"] = reading(options.events, Path(folder))
        data = recblr.Dataset.open(options.dataset) if options.dataset else recblr.Dataset(made_up(300_000), "user", "item", "time")
        results["session"] = sessions()
        results["training"] = training(data, options.epochs, options.rounds, Path(folder))
    print(json.dumps(results, indent=2))


def made_up(events: int) -> polars.DataFrame:
    """Users with a hundred events each on average, of items of uneven popularity."""
    rng = numpy.random.default_rng(1)
    return polars.DataFrame(
        {
            "user": rng.integers(0, max(1, events // 100), events),
            "item": numpy.minimum(rng.zipf(1.3, events) - 1, ITEMS - 1),
            "time": numpy.sort(rng.integers(1_600_000_000, 1_700_000_000, events)),
        }
    )


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*arguments: object) -> None:
    subprocess.run([COMMAND, *map(str, arguments)], check=True, capture_output=True)


def reading(events: int, folder: Path) -> dict:
    numbers = made_up(events)
    texts = numbers.with_columns(polars.col("user").cast(polars.String), polars.col("item").cast(polars.String))
    file = folder / "log.csv"
    numbers.write_csv(file)
    columns = ("--user", "user", "--item", "item", "--timestamp", "time")
    times = {
        "integers": seconds(lambda: recblr.Dataset(numbers, "user", "item", "time")),
        "strings": seconds(lambda: recblr.Dataset(texts, "user", "item", "time")),
        "command, csv": seconds(lambda: command("prepare", file, *columns, "--output", folder / "prepared")),
    }
    return {"events": events, "events per second": {name: round(events / taken) for name, taken in times.items()}}


def sessions() -> dict:
    rng = numpy.random.default_rng(2)
    # Every item often enough.
    log = [(user, (user * 37 + step) % ITEMS) for user in range(ITEMS) for step in range(8)]
    model = recblr.train(recblr.Dataset(log), epochs=1, progress=False)
    assert len(model) == ITEMS
    items = [str(item) for item in rng.integers(0, ITEMS, 165)]
    push, top, both = [], [], []
    for _ in range(20):
        session = model.session()
        for item in items:
            push.append(seconds(lambda: session.push(item)))
            top.append(seconds(lambda: session.top(10)))
            both.append(push[-1] + top[-1])
    for _ in range(2000):
        session.push(items[0])
    long = [seconds(lambda: session.top(10)) for _ in range(500)]
    named = {"push": push, "top": top, "push and top": both, "top after 2,000 more": long}
    return {"items": ITEMS, "microseconds": {name: round(1e6 * statistics.median(taken), 1) for name, taken in named.items()}}


def training(data: recblr.Dataset, epochs: int, rounds: int, folder: Path) -> dict:
    ours, theirs = [], []
    for number in range(rounds):
        model = folder / f"model-{number}"
        theirs.append(seconds(lambda: command("train", data.folder, "--model", model, "--epochs", epochs)))
        ours.append(seconds(lambda: recblr.train(data, epochs=epochs, model=folder / f"own-{number}", progress=lambda now: None)))
        same = (model / "model.safetensors").read_bytes() == (folder / f"own-{number}" / "model.safetensors").read_bytes()
        assert same, "the weights differ"
    python, program = statistics.median(ours), statistics.median(theirs)
    return {
        "events": data.events,
        "epochs": epochs,
        "seconds": {"python": round(python, 2), "command": round(program, 2)},
        "python / command": round(python / program, 4),
    }


if __name__ == "__main__":
    main()
