#!/usr/bin/env bash
# faults.sh PROGRAM [OPTION...]: `recblr serve` killed, without power, on bad disks, with damaged files, wrong clocks and rude clients, in some
# minutes. `--seed clock --rounds 100` tries more; Tests/Faults/faults.py --help lists the options.
set -euo pipefail
command -v python3 >/dev/null || { echo "faults: python3 is not here: skipped"; exit 0; }
"${1:?PROGRAM}" serve --help >/dev/null 2>&1 || { echo "faults: $1 has no serve: skipped"; exit 0; }
exec python3 -B "$(dirname "$0")/../Tests/Faults/faults.py" "$@"
