#!/usr/bin/env python3
"""torture.py PROGRAM: damages, kills, starves and watches the program, and says where it did not hold.

Everything is made here and in a temporary folder. A case is replayed by the command that is printed with its failure."""

import argparse
import collections
import fnmatch
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import limits
import mutator
import syscalls
import terminal
from case import Context, Failure
from program import Program
from world import make_world

PARTS = {"mutate": mutator.cases, "syscalls": syscalls.cases, "terminal": terminal.cases, "limits": limits.cases}
SHORT = 300  # cases of the short form
HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", default="1", help="a number, or 'clock'")
    parser.add_argument("--cases", type=int, default=SHORT, help="cases of the mutator and, a quarter of that, of system calls; 0: all calls")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--case", action="append", help="only this case, PART/NAME; its folder is kept")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def expected_failures():
    """Patterns of keys of failures that are known: what will end them, and how often they fail."""
    with open(os.path.join(HERE, "expected.txt")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {pattern: (point, often) for pattern, point, often in lines}


def run_case(case):
    try:
        found = case.check(case)
    except Exception as error:  # a check that breaks is a failure, never a pass
        found = [Failure(f"{case.part}/harness/{type(error).__name__}", traceback.format_exc())]
    for failure in found:
        failure.case = case.label
    return found


def report(failures, expected, again, is_short_form, is_single):
    """Prints failures by key, known ones briefly; true where nothing is unexpected."""
    groups, met, fine = collections.defaultdict(list), set(), True
    for failure in failures:
        groups[failure.key].append(failure)
    for key, found in sorted(groups.items()):
        patterns = [pattern for pattern in expected if fnmatch.fnmatchcase(key, pattern)]
        met.update(patterns)
        if patterns and not is_single:
            print(f"known ({expected[patterns[0]][0]}): {key}: {len(found)}, such as {found[0].case}")
            continue
        fine = False
        print(f"\nFAILED {key}: {len(found)}")
        for failure in found[:3]:
            print("  " + failure.detail.replace("\n", "\n    "))
            print(f"  replay: python3 Tests/Torture/torture.py {again} --case {failure.case}")
    for pattern in expected:
        point, often = expected[pattern]
        if is_short_form and often == "always" and pattern not in met:
            fine = False
            print(f"\nPASSED unexpectedly: {pattern} ({point}): take it off Tests/Torture/expected.txt")
    return fine


def main():
    options = arguments()
    seed = str(time.time_ns() % 10**9) if options.seed == "clock" else options.seed
    program = Program(os.path.abspath(options.program))
    began = time.monotonic()
    workplace = tempfile.mkdtemp(prefix="recblr-torture-")
    context = Context(program, os.path.join(workplace, "world"), workplace, keep=bool(options.case))
    print(f"torture: seed {seed}, {options.cases} cases, {options.jobs} at a time")
    make_world(program, context.world)
    chosen = {case.split("/")[0] for case in options.case or []} or set(options.only or PARTS)
    cases = [case for part in PARTS if part in chosen for case in PARTS[part](context, seed, options.cases)]
    if options.case:
        cases = [case for case in cases if case.label in options.case]
    random.Random(seed).shuffle(cases)  # long and short ones side by side
    with ThreadPoolExecutor(options.jobs) as pool:
        failures = [failure for found in pool.map(run_case, cases) for failure in found]
    is_short_form = not options.case and not options.only and options.seed == "1" and options.cases == SHORT
    fine = report(failures, expected_failures(), f"{options.program} --seed {seed} --cases {options.cases}", is_short_form, bool(options.case))
    for note in context.notes:
        print("torture: " + note)
    if fine and not options.case:
        shutil.rmtree(workplace)
    else:
        print(f"torture: files of cases that failed are in {workplace}")
    print(f"torture: {len(cases)} cases, {program.runs} runs, {len(failures)} failures, {time.monotonic() - began:.0f} s: {'fine' if fine else 'not fine'}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
