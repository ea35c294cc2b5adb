"""The command `recblr` of the wheel: the native program, in place of this one. Outside of the package, so that Python does not load the library first."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Becomes the program, so that signals, terminals and exit codes are its own."""
    program = Path(__file__).parent / "recblr" / "_native" / "recblr"
    # Python ignores these two, and what is ignored stays so in the program.
    for name in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(name, signal.SIG_DFL)
    try:
        os.execv(program, [str(program), *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"recblr: {program} cannot be started: {error.strerror}")
