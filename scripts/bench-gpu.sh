#!/usr/bin/env bash
# bench-gpu.sh PROGRAM BENCH LOG [OPTION...]: every figure on a GPU beside its limit and PyTorch, one table, Benchmarks/results/gpu.json.
# PROGRAM is recblr, BENCH recblr-bench, LOG one sequence a line, gzipped; options are those of Benchmarks/peers/gpu.py. Installs
# nothing. Ours is measured first; for PyTorch's side $PYTHON, by default python3, has PyTorch for CUDA, Triton and Python's headers,
# and there is a C compiler: what is missing becomes a row of the table.
set -euo pipefail
program=$(realpath "$1") bench=$(realpath "$2") log=$(realpath "$3")
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
RECBLR_CUDA_PATH=$(scripts/cuda-libraries.sh)
export RECBLR_CUDA_PATH
devices=$("$program" devices)
echo "$devices"
grep -q '^cuda:.* yes$' <<<"$devices" || {
    echo "bench-gpu: no GPU that can be used: nothing was measured" >&2
    exit 69
}
"${PYTHON:-python3}" Benchmarks/peers/gpu.py --program "$program" --bench "$bench" --log "$log" --work .build/gpu \
    --output Benchmarks/results/gpu.json "${@:4}"
