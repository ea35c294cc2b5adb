#!/usr/bin/env bash
# compare.sh PROGRAM LOG MODELS MINUTES: recblr beside RecBole (Benchmarks/compare), in a virtual environment of its own. Without a
# LOG, MovieLens-100K.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 log=$2 models=$3 minutes=$4 work=.build/compare
mkdir -p "$work"
if ! cmp -s Benchmarks/compare/requirements.txt "$work/requirements.txt"; then
    python=$(command -v python3.11 || command -v python3)
    if ! { "$python" -m venv --clear "$work/venv" &&
        "$work/venv/bin/pip" install --quiet --timeout 10 --retries 1 --requirement Benchmarks/compare/requirements.txt; } \
        >"$work/pip.log" 2>&1; then
        echo "compare: RecBole 1.2.1 cannot be installed here, with Python 3.11 and PyPI (see $work/pip.log): skipped"
        exit 0
    fi
    cp Benchmarks/compare/requirements.txt "$work/requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
python=$PWD/$work/venv/bin/python
(cd Benchmarks/compare && "$python" -m unittest --quiet test_compare)
if [ -z "$log" ]; then
    log=demo/ml-100k/ml-100k.inter
    scripts/get-ml-100k.sh demo/ml-100k
elif [ ! -s "$log" ]; then
    echo "compare: there is no log $log" >&2
    exit 66
fi
"$python" Benchmarks/compare/compare.py --program "$program" --log "$log" --work "$work" --models "$models" --minutes "$minutes" \
    --output Benchmarks/results/compare.json
