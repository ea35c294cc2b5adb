#!/usr/bin/env bash
# torture.sh PROGRAM [OPTION...]: damaged files, killed and failing system calls, odd terminals, closed streams and limits, in about two
# minutes. `--seed clock --cases 5000` tries more; Tests/Torture/torture.py --help lists the options.
set -euo pipefail
command -v python3 >/dev/null || { echo "torture: python3 is not here: skipped"; exit 0; }
exec python3 -B "$(dirname "$0")/../Tests/Torture/torture.py" "$@"
