"""Makes the little files that all checks begin with, by the program itself where it can."""

import gzip
import json
import os
import random
import shutil
import struct
import subprocess
import time

FILTERS = ["--min-user-events", "1", "--min-item-events", "1"]
SHAPE = ["--hidden-size", "8", "--layers", "1"]
TINY = ["--epochs", "2", "--batch-tokens", "64", "--threads", "1", *SHAPE]
LONG = ["--epochs", "30", "--batch-tokens", "64", "--threads", "1", *SHAPE]
EXPERIMENT = ["--epochs", "1", "--threads", "1"]


def events(seed, users=30, length=10, items=15):
    """Users that walk around a circle of items, a little at random."""
    generator = random.Random(seed)
    for user in range(users):
        item = generator.randrange(items)
        for step in range(length):
            yield user + 1, item, 1_600_000_000 + 1000 * step + user
            item = (item + 1 + generator.randrange(2)) % items


def write(path, data):
    data = data.encode() if isinstance(data, str) else data
    with open(path, "wb") as file:
        file.write(gzip.compress(data, mtime=0) if path.endswith(".gz") else data)


def write_logs(folder):
    log = list(events(7))
    texts = {
        "log.csv": "user_id,item_id,timestamp\n" + "".join(f'u{u},"i{i}",{t}\n' for u, i, t in log),
        "log.tsv": "user_id\titem_id\trating\ttimestamp\n" + "".join(f"u{u}\ti{i}\t{1 + i % 5}\t{t}\n" for u, i, t in log),
        "log.inter": "user_id:token\titem_id:token\ttimestamp:float\n" + "".join(f"u{u}\ti{i}\t{t}\n" for u, i, t in log),
        "ratings.dat": "".join(f"{u}::{i}::{1 + i % 5}::{t}\n" for u, i, t in log),
        "log.jsonl": "".join(
            json.dumps({"user_id": f"u{u}", "item_id": f"i{i}", "timestamp": t, "note": "a \"b\" \u00e9"}) + "\n"
            for u, i, t in log),
        "dates.csv": "user_id,item_id,timestamp\n" + "".join(
            f"u{u},i{i},{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))}\n" for u, i, t in log),
        "sequences.txt": "".join(
            f"u{user} " + " ".join(f"i{i}" for u, i, t in log if u == user) + "\n" for user in range(1, 31)),
        "titles.tsv": "item_id\ttitle\n" + "".join(f"i{i}\tTitle {i} \u00e9\u6f22 'x'\n" for i in range(15)),
        "titles.csv": "item_id,title\n" + "".join(f'i{i},"Title ""{i}"", the\u00e9"\n' for i in range(15)),
        "titles.item": "item_id:token\ttitle:token_seq\n" + "".join(f"i{i}\tTitle {i}\n" for i in range(15)),
        "movies.dat": "".join(f"{i}::Title {i} (1999)::Drama|Comedy\n" for i in range(15)),
        "histories.txt": "i1 i2 i3\ni4\n\ni7 i8 i9 i10 i11 i12\n",
        "notes.txt": "somebody else's\n",
        "other.csv": "user_id,item_id,timestamp\n" + "".join(f"u{u},i{i},{t}\n" for u, i, t in events(8)),
    }
    for name, text in texts.items():
        write(os.path.join(folder, name), text)
        if name not in ("notes.txt", "other.csv", "histories.txt"):
            write(os.path.join(folder, name + ".gz"), text)


def write_reference(path, items=15, width=4, seed=1):
    """Weights as the paper's own implementation would leave them: one layer, no ablation."""
    hidden = 2 * width
    layer, block = "recurrent_layers.0.", "recurrent_layers.0.behavior_modeling."
    shapes = {
        "item_embedding.weight": [items + 1, width], "layer_norm.weight": [width], "layer_norm.bias": [width],
        block + "input.weight": [2 * hidden, width], block + "conv1d.weight": [hidden, 1, 4],
        block + "conv1d.bias": [hidden], block + "gates.weight": [2 * hidden, hidden], block + "gates.bias": [2 * hidden],
        block + "Lambda": [hidden], block + "output.weight": [width, hidden],
        layer + "layer_norm.weight": [width], layer + "layer_norm.bias": [width],
        layer + "ffn.w_1.weight": [4 * width, width], layer + "ffn.w_1.bias": [4 * width],
        layer + "ffn.w_2.weight": [width, 4 * width], layer + "ffn.w_2.bias": [width],
        layer + "ffn.layer_norm.weight": [width], layer + "ffn.layer_norm.bias": [width],
    }
    generator = random.Random(seed)
    header, body = {}, b""
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        values = struct.pack(f"<{count}f", *(generator.uniform(-0.5, 0.5) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(values)]}
        body += values
    text = json.dumps(header).encode()
    write(path, struct.pack("<Q", len(text)) + text + body)


def command(program, folder, *arguments):
    outcome = program.run(list(arguments), folder)
    if outcome.status != 0:
        raise SystemExit(f"torture: cannot begin: {' '.join(arguments)}: {outcome.status} {outcome.error.decode()}")


def interrupted_training(program, folder, model):
    """A training that was killed once it had a checkpoint."""
    checkpoint = os.path.join(folder, model + ".training", "checkpoint.safetensors")
    epochs = 30
    process = program.start(
        ["train", "data", "-m", model, *LONG], folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(checkpoint):
        time.sleep(0.001)
    process.kill()
    process.wait()
    if not os.path.exists(checkpoint):
        raise SystemExit(f"torture: cannot begin: no checkpoint in {epochs} epochs")


def make_world(program, folder):
    """Everything that a check may copy: logs, datasets data and data2, models model and model2, a checkpoint, results."""
    os.makedirs(folder)
    write_logs(folder)
    write_reference(os.path.join(folder, "reference.safetensors"))
    write_reference(os.path.join(folder, "reference2.safetensors"), seed=2)
    command(program, folder, "prepare", "log.csv", "-o", "data", "--titles", "titles.tsv", *FILTERS)
    command(program, folder, "prepare", "other.csv", "-o", "data2", *FILTERS)
    write(os.path.join(folder, "items.tsv"), open(os.path.join(folder, "data", "items.tsv"), "rb").read())
    command(program, folder, "train", "data", "-m", "model", *TINY)
    command(program, folder, "train", "data", "-m", "model2", *TINY, "--seed", "2")
    command(program, folder, "train", "data", "-m", "whole", *LONG)
    interrupted_training(program, folder, "half")
    command(program, folder, "experiment", "expansion", "data", "-o", "results", *EXPERIMENT)


def copy(world, folder, names):
    """Copies files and folders of the world into a case's own folder."""
    os.makedirs(folder, exist_ok=True)
    for name in names:
        source, target = os.path.join(world, name), os.path.join(folder, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        elif os.path.exists(source):
            shutil.copy2(source, target)
        else:
            raise FileNotFoundError(source)


def snapshot(path):
    """The bytes of a file, the same by name for a folder; None where there is nothing."""
    if os.path.islink(path):
        return "link to " + os.readlink(path)
    if os.path.isdir(path):
        return {name: snapshot(os.path.join(path, name)) for name in os.listdir(path)}
    if not os.path.isfile(path):
        return "special file" if os.path.exists(path) else None
    with open(path, "rb") as file:
        return file.read()
