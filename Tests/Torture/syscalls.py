"""Kills the program at every system call that changes files, and makes these calls fail, under `strace`.

Afterwards each folder is the old one or the new one, and the next run ends well, without leftovers."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

from case import Case, Failure
from world import EXPERIMENT, FILTERS, LONG, TINY, copy, snapshot

CALLS = (
    "rename", "renameat", "renameat2", "fsync", "fdatasync", "openat", "write", "pwrite64", "writev", "unlink", "unlinkat", "rmdir", "mkdir",
    "mkdirat", "ftruncate", "linkat", "link", "symlink", "flock", "fallocate",
)
ERRORS = ("ENOSPC", "EIO", "EACCES", "EINTR", "EMFILE")
STRANGERS = ("notes.txt", ".mine.tmp", ".out.mine.old")


@dataclass(frozen=True)
class Scenario:
    """A command, what it needs, and what it leaves when nothing goes wrong."""

    name: str
    arguments: tuple
    needs: tuple
    output: str
    old: str = ""  # what is at the output's place before
    again: tuple = ()  # the run that goes on afterwards; the same command where there is none

    @property
    def follow_up(self):
        return self.again or self.arguments


def scenarios(program):
    prepare = ("prepare", "log.csv", "-o", "out", *FILTERS)
    train = ("train", "data", "-m", "out", *TINY)
    yield Scenario("prepare", prepare, ("log.csv",), "out")
    yield Scenario("prepare-again", prepare, ("log.csv",), "out", old="data2")
    yield Scenario("train", train, ("data",), "out", again=(*train, "--resume"))
    yield Scenario("train-again", train, ("data",), "out", old="model2", again=(*train, "--resume"))
    yield Scenario("resume", ("train", "data", "-m", "half", *LONG, "--resume"), ("data", "half.training"), "half")
    yield Scenario("experiment", ("experiment", "expansion", "data", "-o", "out", *EXPERIMENT), ("data",), "out")
    weights = ("import", "reference.safetensors", "--length", "16", "--items", "items.tsv", "-m", "out")
    yield Scenario("import-again", weights, ("reference.safetensors", "items.tsv"), "out", old="model2")
    if program.supports("recommend", "--output"):
        recommend = ("recommend", "model", "--data", "data", "--all-users", "-k", "3", "--output", "out")
        yield Scenario("recommend", recommend, ("model", "data"), "out")
        yield Scenario("recommend-again", recommend, ("model", "data"), "out", old="histories.txt")


def identity(path):
    """What is the same whenever a command succeeds; None where nothing is there."""
    left = snapshot(path)
    if not isinstance(left, dict):
        return left
    if "results.json" in left:
        runs = json.loads(left["results.json"])["runs"]
        return sorted(json.dumps([run["settings"], run["test"], run["bestEpoch"]], sort_keys=True) for run in runs)
    return {name: data for name, data in left.items() if name.endswith((".safetensors", ".tsv", ".i32", ".i64", ".f64"))}


def place(context, scenario, folder):
    copy(context.world, folder, scenario.needs)
    for name in STRANGERS:
        with open(os.path.join(folder, name), "w") as file:
            file.write("somebody else's\n")
    if scenario.old:
        source, target = os.path.join(context.world, scenario.old), os.path.join(folder, scenario.output)
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy2(source, target)


def strace(trace, *options):
    return ["strace", "-f", "-qq", "-y", "-o", trace, "-e", "signal=none", "-e", "trace=" + ",".join("?" + c for c in CALLS), *options]


def cases(context, seed, count):
    works = shutil.which("strace") and subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode == 0
    if not works:
        context.notes.append("strace is not here or may not trace: no system call was killed or failed")
        return
    found = [case for scenario in scenarios(context.program) for case in scenario_cases(context, scenario)]
    yield from found if count == 0 else random.Random(seed).sample(found, min(count // 4, len(found)))
    yield from (Case("syscalls", "readers-" + kind, lambda case, k=kind: readers(context, case, k)) for kind in ("model", "dataset"))


def scenario_cases(context, scenario):
    """One case for every call and way to fail."""
    folder = context.folder(Case("syscalls", "probe-" + scenario.name, None))
    place(context, scenario, folder)
    trace = folder + ".trace"
    outcome = context.program.run(list(scenario.arguments), folder, prefix=strace(trace))
    if outcome.status != 0:
        raise SystemExit(f"torture: {scenario.arguments} fails under strace: {outcome.error.decode()}")
    whole = identity(os.path.join(folder, scenario.output))
    names = set(os.listdir(folder))
    for call, number in sorted(own_calls(trace, folder)):
        for way in ("kill", *ERRORS):
            if way == "EINTR" and call in ("rename", "unlink", "mkdir", "rmdir"):
                continue  # never ends so
            name = f"{scenario.name}:{call}:{number}:{way}"
            yield Case("syscalls", name, lambda case, c=call, n=number, w=way: check(context, case, scenario, c, n, w, whole, names))
    context.discard(folder)


def own_calls(trace, folder):
    """Which of a thread's calls of a kind concern files of this folder, or the standard streams."""
    counts, found = {}, set()
    for line in open(trace, errors="replace"):
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not match:
            continue
        thread, call, rest = match.groups()
        counts[thread, call] = counts.get((thread, call), 0) + 1
        concerns = "O_CREAT" in rest if call == "openat" else True
        if concerns and "/proc/" not in rest and "/sys/" not in rest:
            found.add((call, counts[thread, call]))
    return found


def check(context, case, scenario, call, number, way, whole, names):
    folder = context.folder(case)
    place(context, scenario, folder)
    old = identity(os.path.join(folder, scenario.output))
    effect = "signal=KILL" if way == "kill" else "error=" + way
    trace = folder + ".trace"
    outcome = context.program.run(
        list(scenario.arguments), folder, prefix=strace(trace, "-e", f"inject={call}:{effect}:when={number}"))
    found = []
    if way != "kill" or outcome.timed_out:
        found += outcome.problems()
    if call == "write" and outcome.status == 73:  # output that fails halfway has begun
        found = [problem for problem in found if problem[0] != "partial-output"]
    found += after(context, scenario, folder, outcome, old, whole)
    found += next_run(context, scenario, folder, whole, names)
    if os.path.exists(trace):
        os.remove(trace)
    if not found:
        context.discard(folder)
    key = f"syscalls/{scenario.name}/{call}/{'kill' if way == 'kill' else 'error'}"
    return [Failure(f"{key}/{kind}", f"{case.name}: {detail}", folder=folder) for kind, detail in found]


def after(context, scenario, folder, outcome, old, whole):
    """The output is the old one or the new one, and opens."""
    path = os.path.join(folder, scenario.output)
    now = identity(path)
    if scenario.name == "experiment":
        fits = now is None or now == {} or now == whole or isinstance(now, list) and set(now) <= set(whole)
    else:
        fits = now in (old, whole)
    if not fits:
        return [("mixed", f"the output is neither the old one nor the new one: {listing(folder)}")]
    if outcome.status == 0 and now != whole:
        return [("lost", f"exit code 0, but the output is not there: {listing(folder)}")]
    if now is not None and os.path.isdir(path) and scenario.name != "experiment":
        verify = ["--verify"] if context.program.supports("inspect", "--verify") else []
        opened = context.program.run(["inspect", scenario.output, *verify], folder)
        if opened.status != 0:
            return [("unreadable", opened.error.decode(errors="replace"))]
    return []


def next_run(context, scenario, folder, whole, names):
    """The same command, without help: it succeeds with the same result, and nothing else is left."""
    again = context.program.run(list(scenario.follow_up), folder)
    path = os.path.join(folder, scenario.output)
    # To go on with what is finished, or was before, is refused in one sentence; then the plain command has to do it.
    if again.status == 64 and not again.problems():
        if scenario.name == "resume" and identity(path) == whole:
            again.status = 0
        elif scenario.again:
            again = context.program.run(list(scenario.arguments), folder)
    found = again.problems()
    if again.status != 0:
        return found + [("blocked", f"the next run ends with {again.status}: {again.error.decode(errors='replace')}")]
    if identity(path) != whole:
        found.append(("other-result", f"the next run has another result: {listing(folder)}"))
    extra, missing = set(os.listdir(folder)) - names, names - set(os.listdir(folder))
    inside = [name for name in os.listdir(path) if name.endswith((".tmp", ".old"))] if os.path.isdir(path) else []
    if extra or inside:
        found.append(("leftover", f"after the next run there are {sorted(extra)} {inside}"))
    if missing:
        found.append(("deleted", f"somebody else's files are gone: {sorted(missing)}"))
    return found


def listing(folder):
    return sorted(os.path.relpath(os.path.join(root, name), folder) for root, _, files in os.walk(folder) for name in files)


def readers(context, case, kind, count=150):
    """Somebody reads all the time while folders are replaced: each reader sees the old or the new one."""
    folder = context.folder(case)
    copy(context.world, folder, ["reference.safetensors", "reference2.safetensors", "items.tsv", "log.csv", "other.csv"])
    if kind == "model":
        writers = [("import", f"reference{n}.safetensors", "--length", "16", "--items", "items.tsv", "-m", "out") for n in ("", "2")]
        reader = ["recommend", "out", "--history", "i1,i2", "-k", "3"]
    else:
        writers = [("prepare", name, "-o", "out", *FILTERS) for name in ("log.csv", "other.csv")]
        reader = ["inspect", "out"]
    known = set()
    for writer in writers:
        context.program.run(list(writer), folder)
        known.add(context.program.run(reader, folder).output)
    loop = subprocess.Popen(
        ["/bin/sh", "-c", "while :; do " + "; ".join(" ".join([context.program.path, *w]) for w in writers) + "; done"], cwd=folder,
        env=context.program.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    outcomes = [context.program.run(reader, folder) for _ in range(count)]
    os.killpg(loop.pid, signal.SIGKILL)
    loop.wait()
    bad = [outcome for outcome in outcomes if outcome.status != 0 or outcome.output not in known]
    context.discard(folder)
    if not bad:
        return []
    detail = f"{len(bad)} of {count} readers saw neither: {bad[0].status} {bad[0].error.decode(errors='replace')}"
    return [Failure(f"syscalls/readers/{kind}", detail)]
