"""Seeded damage to every file that the program reads."""

import os
import random
import re
import shutil
import threading
from dataclasses import dataclass

import mutations
from case import Case, Failure
from world import EXPERIMENT, FILTERS, LONG, TINY, copy, snapshot, write


@dataclass(frozen=True)
class Subject:
    """A file to damage and the commands that read it."""

    name: str  # in the world
    ways: tuple
    commands: tuple
    needs: tuple  # what else of the world the commands read
    twin: str = ""  # a file of the same kind that may be put in its place
    covered: bool = False  # a checksum says whether it is as it was written


def prepare(*arguments):
    return ("prepare", *arguments, "-o", "out", *FILTERS)


RECOMMEND_USER = ("recommend", "model", "--data", "data", "--user", "u3", "-k", "4")
RECOMMEND_HISTORY = ("recommend", "model", "--history", "i1,i2", "-k", "4")
OUTPUTS = {"prepare": "out", "train": "out", "import": "out", "experiment": "results"}


def logs():
    texts, json = tuple(mutations.TEXT), tuple(mutations.TEXT + [json_line] * 6)
    options = {
        "log.csv": (), "log.tsv": ("--min-rating", "2"), "log.inter": (), "ratings.dat": (), "log.jsonl": (), "dates.csv": (),
        "sequences.txt": ("--format", "sequences"),
    }
    for name, extra in options.items():
        plain, packed = (prepare(name, *extra), prepare(name, *extra, "--skip-bad-lines")), (prepare(name + ".gz", *extra),)
        yield Subject(name, json if name == "log.jsonl" else texts, plain, ())
        yield Subject(name + ".gz", tuple(mutations.BYTES + [mutations.inside_gzip] * 6), packed, ())
    for name in ("titles.tsv", "titles.csv", "titles.item", "movies.dat"):
        log = "ratings.dat" if name == "movies.dat" else "log.csv"
        yield Subject(name, texts, (prepare(log, "--titles", name),), (log,))
        yield Subject(
            name + ".gz", tuple(mutations.BYTES + [mutations.inside_gzip] * 3), (prepare(log, "--titles", name + ".gz"),), (log,))


def json_line(data, generator):
    """Changes a value of one line."""
    lines = data.split(b"\n")
    place = generator.randrange(len(lines) - 1)
    lines[place] = mutations.json_value(lines[place], generator).replace(b"\n", b"")
    return b"\n".join(lines)


def folders(context):
    verify = ("--verify",) if context.program.supports("inspect", "--verify") else ()
    train = ("train", "data", "-m", "out", *TINY)
    dataset = (("inspect", "data", *verify), ("evaluate", "model", "data"), RECOMMEND_USER, train)
    model = (("inspect", "model", *verify), ("evaluate", "model", "data"), RECOMMEND_HISTORY)
    kinds = {".tsv": mutations.TEXT, ".json": mutations.JSON, ".safetensors": mutations.TENSORS}
    for folder, commands in (("data", dataset), ("model", model)):
        for name in sorted(os.listdir(os.path.join(context.world, folder))):
            suffix = os.path.splitext(name)[1]
            ways = kinds.get(suffix, mutations.TEXT if suffix in (".html", ".jsonl") else mutations.ARRAY)
            twin = f"{folder}2/{name}"
            yield Subject(f"{folder}/{name}", tuple(ways), commands, ("data", "model"), twin, covered=True)


def others():
    resume = ("train", "data", "-m", "half", *LONG, "--resume")
    experiment = ("experiment", "expansion", "data", "-o", "results", *EXPERIMENT)
    needs = ("data", "half.training")
    yield Subject("half.training/checkpoint.safetensors", tuple(mutations.CHECKPOINT), (resume,), needs, covered=True)
    yield Subject("half.training/training.jsonl", tuple(mutations.TEXT), (resume,), needs, covered=True)
    yield Subject("results/results.json", tuple(mutations.JSON), (experiment,), ("data", "results"), covered=True)
    histories = ("recommend", "model", "--histories", "histories.txt", "-k", "3")
    yield Subject("histories.txt", tuple(mutations.TEXT), (histories, (*histories, "--json")), ("model",))
    items = ("import", "reference.safetensors", "--length", "16", "--items", "items.tsv", "-m", "out")
    yield Subject("reference.safetensors", tuple(mutations.TENSORS + [mutations.tensors_header] * 6), (items,), ("items.tsv",))
    yield Subject("items.tsv", tuple(mutations.TEXT), (items,), ("reference.safetensors",))


def cases(context, seed, count):
    """`count` checks; number n of a seed is always the same."""
    subjects = [*logs(), *folders(context), *others()]
    weights = [3 if subject.covered else 1 for subject in subjects]
    baselines = Baselines(context)
    for number in range(count):
        generator = random.Random(f"{seed}/{number}")
        subject = generator.choices(subjects, weights)[0]
        yield Case("mutate", str(number), lambda case, s=subject, g=generator: check(context, case, s, g, baselines))


class Baselines:
    """What each command prints and leaves where nothing is damaged."""

    def __init__(self, context):
        self.context, self.known, self.lock = context, {}, threading.Lock()

    def result(self, subject, arguments):
        with self.lock:
            if arguments not in self.known:
                folder = self.context.folder(Case("baseline", str(len(self.known)), None))
                copy(self.context.world, folder, wanted(subject))
                result = self.known[arguments] = Result(self.context.program.run(list(arguments), folder), folder)
                if result.outcome.status != 0:
                    raise ValueError(f"{arguments} fails undamaged: {result.outcome.error.decode()}")
                self.context.discard(folder)
            return self.known[arguments]


class Result:
    """What a run printed and left, without the times that it took."""

    def __init__(self, outcome, folder):
        self.outcome = outcome
        self.output = re.sub(rb"[\d.,]+ (s|tokens/s|min)\b", b"", outcome.output)
        command = outcome.arguments[0]
        name = "half" if "half" in outcome.arguments else OUTPUTS.get(command)
        self.path = os.path.join(folder, name) if name else None
        left = snapshot(self.path) if self.path else None
        self.files = {n: left[n] for n in ("model.safetensors", "items.tsv") if n in left} if command == "train" and left else None
        if command == "experiment":  # its table has events a second
            self.output = b"\n".join(line.rsplit(b" ", 1)[0] for line in outcome.output.split(b"\n"))

    def is_like(self, other):
        return self.output == other.output and self.files == other.files


def wanted(subject):
    parents = {subject.name.split("/")[0]}
    return sorted(parents | {need for need in subject.needs})


def damage(context, folder, subject, generator):
    """Changes the file; returns a description, None where the change changes nothing."""
    path = os.path.join(folder, subject.name)
    with open(path, "rb") as file:
        data = file.read()
    if subject.twin and generator.random() < 0.15:
        shutil.copy2(os.path.join(context.world, subject.twin), path)
        return "swapped for " + subject.twin if snapshot(path) != data else None
    if generator.random() < 0.03:
        os.remove(path)
        kind = generator.choice(["removed", "folder", "link to nothing"])
        if kind == "folder":
            os.mkdir(path)
        elif kind == "link to nothing":
            os.symlink("nowhere", path)
        return kind
    way = generator.choice(subject.ways) if data else mutations.insert_token
    damaged = way(data, generator)
    if generator.random() < 0.1 and damaged:
        damaged = generator.choice(subject.ways[:6])(damaged, generator)  # the first six know nothing of the format
    with open(path, "wb") as file:
        file.write(damaged)
    return None if damaged == data else way.__name__


def check(context, case, subject, generator, baselines):
    folder, failures = context.folder(case), []
    for arguments in subject.commands:
        # Each command meets the same damage, and an older output half of the time.
        place = os.path.join(folder, arguments[0] + str(subject.commands.index(arguments)))
        copy(context.world, place, wanted(subject))
        state = generator.getstate()
        what = damage(context, place, subject, generator)
        if arguments is not subject.commands[-1]:
            generator.setstate(state)
        if what is None:
            continue
        if arguments[0] in ("prepare", "import", "train") and "half" not in arguments and int(case.name) % 2:
            copy(context.world, place, ["model2" if arguments[0] != "prepare" else "data2"])
            os.rename(os.path.join(place, "model2" if arguments[0] != "prepare" else "data2"), os.path.join(place, "out"))
        for kind, detail in judge(context, place, subject, arguments, baselines):
            text = f"{subject.name} ({what}): {' '.join(arguments)}: {detail}"
            failures.append(Failure(f"mutate/{subject.name}/{arguments[0]}/{kind}", text, folder=folder))
    if not failures:
        context.discard(folder)
    return failures


def judge(context, place, subject, arguments, baselines):
    """Runs one command on damaged files and says what it did wrong."""
    name = "half" if "half" in arguments else OUTPUTS.get(arguments[0])
    path = os.path.join(place, name) if name else None
    before = snapshot(path) if path else None
    beside = {n for n in os.listdir(place)}
    outcome = context.program.run(list(arguments), place)
    found = outcome.problems()
    if outcome.status != 0:
        if path and snapshot(path) != before:
            found.append(("folder", f"exit code {outcome.status}, but {name} is not what it was"))
        left = {n for n in os.listdir(place)} - beside
        if left:
            found.append(("leftover", f"exit code {outcome.status} leaves {sorted(left)}"))
    elif subject.covered and not Result(outcome, place).is_like(baselines.result(subject, arguments)):
        found.append(("other-result", "exit code 0 with another result than from the undamaged file"))
    elif outcome.status == 0 and arguments[0] in ("prepare", "import", "train"):
        opened = context.program.run(["inspect", name], place)
        if opened.status != 0:
            found.append(("unreadable", f"what it wrote cannot be opened: {opened.error.decode(errors='replace')}"))
    return found
