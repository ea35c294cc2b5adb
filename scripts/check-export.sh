#!/usr/bin/env bash
# check-export.sh PROGRAM [TEST...]: what `recblr export` writes, in the programs that read it: ONNX's checker and onnxruntime, FAISS, usearch, PyTorch
# where `make bench-peers` or the system has it, and every snippet of docs/onnx.md; a minute. Skips where PyPI cannot be reached. Lines for browsers run in
# headless Chromium where ONNXRUNTIME_WEB names the folder `dist` of npm's onnxruntime-web, which PyPI has not.
set -euo pipefail
program=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
venv=.build/export-venv
cmp -s Tests/Export/requirements.txt "$venv/requirements.txt" || {
    python3 -m venv --clear "$venv" &&
        "$venv/bin/pip" install -q --timeout 10 --retries 1 -r Tests/Export/requirements.txt &&
        cp Tests/Export/requirements.txt "$venv/requirements.txt"
} >"$venv.log" 2>&1 || {
    echo "check-export: skipped: onnxruntime cannot be installed from PyPI (see $venv.log)"
    exit 0
}
for python in .build/peers/venv/bin/python python3; do
    [ -z "${TORCH_PYTHON:-}" ] || break
    if "$python" -c 'import numpy, torch' 2>/dev/null; then
        TORCH_PYTHON=$(command -v "$python")
        [ "$python" = python3 ] || TORCH_PYTHON=$PWD/$python
        export TORCH_PYTHON
        break
    fi
done
[ -n "${TORCH_PYTHON:-}" ] || echo "check-export: no Python with PyTorch here: its twin of the reference code is not asked"
python=$PWD/$venv/bin/python
[ -n "${ONNXRUNTIME_WEB:-}" ] || echo "check-export: ONNXRUNTIME_WEB names no folder of onnxruntime-web: the page's lines for browsers are not run"
cd Tests/Export
RECBLR=$program exec "$python" -B -m unittest --quiet "$@"
