#!/usr/bin/env bash
# mutate.sh [OPTION...]: breaks the product in small ways and counts how many of these mutants the tests kill: Tests/Mutants/mutate.py, whose
# --help lists the options. An hour or more.
set -euo pipefail
command -v python3 >/dev/null || { echo "mutate: python3 is not here: skipped"; exit 0; }
exec python3 -B "$(dirname "$0")/../Tests/Mutants/mutate.py" "$@"
