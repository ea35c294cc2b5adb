#!/usr/bin/env bash
# bench-gpu.sh PROGRAM BENCH LOG: every figure on a GPU beside its limit and PyTorch, one table, Benchmarks/results/gpu.json.
# PROGRAM is recblr, BENCH recblr-bench, LOG one sequence a line, gzipped. Installs nothing: $PYTHON, by default python3, has
# PyTorch for CUDA, and Triton.
set -euo pipefail
program=$(realpath "$1") bench=$(realpath "$2") log=$(realpath "$3") python=${PYTHON:-python3}
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    echo "bench-gpu: $python has no PyTorch that sees a GPU" >&2
    exit 69
fi
# NVIDIA's libraries, where nobody says another place: those that came with PyTorch.
: "${RECBLR_CUDA_PATH:=$("$python" -c 'import glob, nvidia
print(":".join(lib for root in nvidia.__path__ for lib in sorted(glob.glob(root + "/*/lib"))))' 2>/dev/null || true)}"
export RECBLR_CUDA_PATH
"$program" devices
(cd Benchmarks/peers && "$python" -m unittest --quiet test_gpu)
"$python" Benchmarks/peers/gpu.py --program "$program" --bench "$bench" --log "$log" --work .build/gpu \
    --output Benchmarks/results/gpu.json
