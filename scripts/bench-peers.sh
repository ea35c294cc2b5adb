#!/usr/bin/env bash
# bench-peers.sh PROGRAM LOG: recblr beside PyTorch (Benchmarks/peers), in a virtual environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 log=$2 work=.build/peers
if [ ! -s "$log" ]; then
    echo "bench-peers: no log ${log:-given}; say which: make bench-peers LOG=file.txt.gz" >&2
    exit 66
fi
mkdir -p "$work"
if ! cmp -s Benchmarks/peers/requirements.txt "$work/requirements.txt"; then
    python3 -m venv --clear "$work/venv"
    "$work/venv/bin/pip" install --quiet --requirement Benchmarks/peers/requirements.txt
    cp Benchmarks/peers/requirements.txt "$work/requirements.txt"
fi
python=$PWD/$work/venv/bin/python
(cd Benchmarks/peers && PYTHONDONTWRITEBYTECODE=1 "$python" -m unittest --quiet test_peers)
PYTHONDONTWRITEBYTECODE=1 "$python" Benchmarks/peers/run.py --program "$program" --log "$log" --work "$work" \
    --output Benchmarks/results/peers.json
