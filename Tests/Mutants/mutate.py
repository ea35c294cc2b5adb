"""Breaks the product in small ways, one at a time, and counts how often the tests notice.

A sample of all mutants of the files below is built and tested in a copy of the package (.build/mutants), so that the sources
stay as they are and each build is incremental. A mutant is killed by the first test that fails, by a crash or by hanging; one
that does not compile does not count. Survivors are printed as differences, with the command that tries them again; those that
change nothing that matters are explained in survivors.txt.
"""
import argparse
import functools
import hashlib
import os
import re
import resource
import select
import subprocess
import sys
import time
from pathlib import Path

from operators import mutants

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / ".build" / "mutants"
EXPLAINED = Path(__file__).with_name("survivors.txt")
LONGEST = 1800  # seconds of a build, or of a suite without a mutant
LONGEST_TEST = 600  # seconds of a suite: a mutant that takes longer hangs

# What is mutated, and the tests that should notice: suites in the order in which they are tried.
MODEL = ["ModelsTests.(State|Golden|RepeatHead|HistoryError)", "ModelsTests.(Gradient|Chunk)",
         "(ServingTests|EvaluationTests|ModelStoreTests)", "TrainingTests"]
LOSSES = ["OperationTests.(Parity|NotANumber|Precision)", "ModelsTests.Gradient", "(EvaluationTests|ServingTests)"]
TRAINING = ["TrainingTests.(BatchPlan|SampledStep)", "TrainingTests"]
TARGETS = [
    ("Sources/Model/Layers", MODEL),
    ("Sources/Model/Models", MODEL),
    ("Sources/Arithmetic/CPUBackend/Losses.swift", LOSSES),
    ("Sources/Arithmetic/CPUBackend/SampledLosses.swift", LOSSES),
    ("Sources/Arithmetic/CPUBackend/SampledSoftmax.swift", LOSSES),
    ("Sources/Arithmetic/CPUBackend/Ranking.swift", LOSSES),
    ("Sources/Learning/Evaluation", ["EvaluationTests", "ReportTests", "TrainingTests.Learning"]),
    ("Sources/Data/Interactions/Split.swift", ["InteractionsTests.*Split", "EvaluationTests"]),
] + [(f"Sources/Learning/Training/{name}.swift", TRAINING) for name in
     ["BatchAssembler", "BatchPlan", "GradientSum", "Negatives", "Optimizer", "Replicas", "Schedule", "TouchedRanges"]]


def all_mutants():
    """Every mutant by its name, with its suites. Names depend on nothing but the lines, so that they last while other code changes."""
    found, seen = {}, {}
    for name, suites in TARGETS:
        path = COPY / name
        if not path.exists():
            sys.exit(f"mutate: there is no {name} any more")
        for file in sorted(path.rglob("*.swift")) if path.is_dir() else [path]:
            text = file.read_text()
            for mutant in mutants(str(file.relative_to(COPY)), text):
                key = "|".join((mutant.path, *mutant.lines(text)[1:]))
                seen[key] = seen.get(key, 0) + 1
                found[digest(f"{key}|{seen[key]}")[:8]] = (mutant, suites)
    return found


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def update_copy():
    """Makes the copy what the package is, but for its builds and its scripts: without these there is no emulated GPU, whose tests would
    take most of the time. Files that are the same keep their dates."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = {name for name in listed.stdout.decode().split("\0")
             if name and not name.startswith(("scripts/", "docs/")) and (ROOT / name).is_file()}
    for folder, folders, files in os.walk(COPY):
        folders[:] = [name for name in folders if name != ".build"]
        for path in [Path(folder) / name for name in files]:
            if str(path.relative_to(COPY)) not in names:
                path.unlink()
    for name in names:
        content = (ROOT / name).read_bytes()
        if name == "Package.swift":  # a variable that is not used any more is no reason to reject a mutant
            content = content.replace(b".treatAllWarnings(as: .error)", b"")
        target = COPY / name
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def limits():
    os.setsid()
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (24 << 30, 24 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, timeout, until=None):
    """Exit code (124: time was out) and output; the process ends early at a line that `until` matches."""
    process = subprocess.Popen(command, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=limits)
    end, output = time.monotonic() + timeout, b""
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
        output += chunk
        if not chunk or until and until.search(output):
            break
    if ready and not chunk:
        return process.wait(), output.decode(errors="replace")
    # Everything in its session: `swift test` gives the tests a process group of their own.
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
    process.kill()
    process.wait()
    return (1 if ready else 124), output.decode(errors="replace")


def build():
    return run(["swift", "build", "--build-tests"], LONGEST)


def test(suite, timeout):
    """Why the suite failed, in a word; None where it passed."""
    code, output = run(["swift", "test", "--skip-build", "--filter", suite], timeout, re.compile("✘ Test .*recorded an issue".encode()))
    issue = re.search(r"✘ Test (\w+)\(", output)
    return issue.group(1) if issue else None if code == 0 else f"more than {timeout:.0f} s" if code == 124 else "a crash"


def explained():
    """Survivors that are as good as the original: file, old line and new line, each as it stands but for spaces."""
    lines = [line for line in EXPLAINED.read_text().split("\n") if line and not line.startswith("#")] if EXPLAINED.exists() else []
    return {tuple(part.strip() for part in line.split(" | ")[:3]) for line in lines}


@functools.cache
def usual_seconds(suite):
    """How long a suite takes on the unchanged sources, which have to pass."""
    build()  # what is built is a mutant
    start = time.monotonic()
    reason = test(suite, LONGEST)
    if reason:
        sys.exit(f"mutate: {suite} fails without a mutant: {reason}")
    return time.monotonic() - start


def judge(mutant, suites):
    """"killed", "survived" or "invalid", and by what."""
    file = COPY / mutant.path
    text = file.read_text()
    file.write_text(mutant.apply(text))
    killer = None
    try:
        if build()[0] != 0:
            return "invalid", ""
        for suite in suites:
            reason = test(suite, LONGEST_TEST)
            if reason:
                killer = suite
                return "killed", f" by {reason}"
        return "survived", ""
    finally:
        file.write_text(text)
        if killer and usual_seconds(killer) > LONGEST_TEST / 2:
            sys.exit(f"mutate: {killer} takes more than {LONGEST_TEST / 2:.0f} s without a mutant: too slow to tell a mutant that hangs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=100, help="how many mutants that compile (100)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--file", default="", help="only files whose path has this in it")
    parser.add_argument("--only", nargs="+", help="these mutants, by their names")
    parser.add_argument("--minutes", type=float, default=120, help="begin no mutant after so long (120)")
    parser.add_argument("--least", type=float, default=90, help="per cent that have to be killed (90)")
    parser.add_argument("--list", action="store_true", help="print all mutants and try none")
    options = parser.parse_args()

    update_copy()
    every = all_mutants()
    names = options.only or [name for name, (mutant, _) in every.items() if options.file in mutant.path]
    if options.list:
        for n in names:
            line, old, new = every[n][0].lines((COPY / every[n][0].path).read_text())
            print(f"{n} {every[n][0].path}:{line} {every[n][0].kind}\n  - {old.strip()}\n  + {new.strip()}")
        return
    start = time.monotonic()
    code, output = build()
    if code != 0:
        sys.exit(f"{output}\nmutate: the tests do not build without a mutant")
    counts, known, survivors = {"killed": 0, "survived": 0, "invalid": 0, "explained": 0}, explained(), []
    for n in sorted(names, key=lambda name: digest(f"{options.seed} {name}")):
        done = counts["killed"] + counts["survived"] + counts["explained"]
        if done >= options.sample or time.monotonic() - start > 60 * options.minutes:
            break
        mutant, suites = every[n]
        line, old, new = mutant.lines((COPY / mutant.path).read_text())
        verdict, reason = judge(mutant, suites)
        if verdict == "survived" and (mutant.path, " ".join(old.split()), " ".join(new.split())) in known:
            verdict = "explained"
        counts[verdict] += 1
        print(f"{n} {mutant.path}:{line} {mutant.kind}: {verdict}{reason}", flush=True)
        if verdict == "survived":
            survivors.append(n)
            print(*[f"  - {part}" for part in old.split("\n")], *[f"  + {part}" for part in new.split("\n")], sep="\n", flush=True)
    judged = counts["killed"] + counts["survived"]
    rate = 100 * counts["killed"] / max(1, judged)
    print(f"{counts['killed']} of {judged} mutants were killed ({rate:.1f} %); {counts['explained']} more change nothing that matters, "
          f"{counts['invalid']} did not compile; seed {options.seed}, {(time.monotonic() - start) / 60:.0f} minutes")
    if survivors:
        print("again: scripts/mutate.sh --only " + " ".join(survivors))
    sys.exit(0 if judged and rate >= options.least else 1)


if __name__ == "__main__":
    main()
