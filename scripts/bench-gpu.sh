#!/usr/bin/env bash
# bench-gpu.sh PROGRAM BENCH LOG [OPTION...]: every figure on a GPU beside its limit and PyTorch, one table, .build/gpu/gpu.json.
# PROGRAM is recblr, BENCH recblr-bench, LOG one sequence a line, gzipped; options are those of Benchmarks/peers/gpu.py. Installs
# nothing. Ours is measured first; for PyTorch's side $PYTHON, by default python3, has PyTorch for CUDA, Triton and Python's headers,
# and there is a C compiler: what is missing becomes a row of the table.
set -euo pipefail
[ $# -ge 3 ] && [ -x "$1" ] && [ -x "$2" ] && [ -r "$3" ] || {
    echo "bench-gpu: usage: bench-gpu.sh PROGRAM BENCH LOG [OPTION...], two programs and a file" >&2
    exit 64
}
command -v "${PYTHON:-python3}" >/dev/null || {
    echo "bench-gpu: there is no ${PYTHON:-python3} here: nothing was measured" >&2
    exit 69
}
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
    --output .build/gpu/gpu.json "${@:4}"
