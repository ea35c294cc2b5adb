#!/usr/bin/env python3
"""faults.py PROGRAM: does to `recblr serve` what a hostile world does, and says where it did not hold.

Everything is made here and in a temporary folder. A failure is printed with the command that replays it; the folder is kept then."""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

import clients
import damage
import deletions
import disks
import endings
import kills
import releases
import soak
import users
from context import Context
from disk import build
from service import Failed, Lost, clean_up_when_ended

PARTS = (kills, deletions, releases, disks, damage, clients, users, endings, soak)
CHECKS = {name: check for part in PARTS for name, check in part.CHECKS.items()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", default="1", help="a number, or 'clock'")
    parser.add_argument("--rounds", type=int, default=5, help="kills of each kind; 20 and more: everything takes its time")
    parser.add_argument("--only", choices=CHECKS, action="append", help="only this check")
    parser.add_argument("--soak", type=float, default=1, metavar="MINUTES", help="how long it is loaded at 80 %% of saturation")
    parser.add_argument("--bench", metavar="PROGRAM", help="recblr-bench, which loads it; without it nothing is soaked")
    return parser.parse_args()


def run(context, name, again):
    """Prints what a check did, or how it failed; true where it held."""
    began = time.monotonic()
    try:
        said = CHECKS[name](context)
    except (Failed, Lost) as failure:
        print(f"FAILED {name}: {failure}")
    except Exception:  # a check that breaks is a failure, never a pass
        print(f"FAILED {name}: the check itself broke: {traceback.format_exc()}")
    else:
        print(f"  {name}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
        return True
    print(f"  replay: python3 Tests/Faults/faults.py {again} --only {name}", flush=True)
    return False


def main():
    options = arguments()
    clean_up_when_ended()
    seed = str(time.time_ns() % 10**9) if options.seed == "clock" else options.seed
    began = time.monotonic()
    workplace = tempfile.mkdtemp(prefix="recblr-faults-")
    held = [True]
    context = Context(
        os.path.abspath(options.program), workplace, seed, options.rounds, bench=options.bench and os.path.abspath(options.bench),
        soak_minutes=options.soak, long=options.rounds >= 20)
    try:
        context.library = build(workplace)
        print(f"faults: seed {seed}, {options.rounds} rounds", flush=True)
        context.prepare()
        again = f"{options.program} --seed {seed} --rounds {options.rounds}"
        held = [run(context, name, again) for name in options.only or CHECKS]
    finally:
        if context.reference:
            context.reference.kill()
        if all(held):
            shutil.rmtree(workplace, ignore_errors=True)
    for note in context.notes:
        print("faults: " + note)
    if not all(held):
        print(f"faults: files are in {workplace}")
    print(f"faults: {len(held)} checks, {held.count(False)} failed, {time.monotonic() - began:.0f} s: {'fine' if all(held) else 'not fine'}")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
