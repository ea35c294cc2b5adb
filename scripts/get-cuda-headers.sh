#!/usr/bin/env bash
# get-cuda-headers.sh [--all]: puts NVIDIA's headers into .build/cuda-headers, where the tests hold our own declarations against them:
# cuda.h from a wheel of 4 MB, with --all cublasLt.h too, from one of 580 MB, of which nothing else is kept. (nvrtc.h comes with
# get-nvrtc.sh.) Where they cannot be had the tests skip that: no error.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(nvidia-cuda-runtime-cu12==12.9.79)
[ "${1:-}" != --all ] || packages+=(nvidia-cublas-cu12==12.9.1.4)
folder=.build/cuda-headers
[ "$(uname -s)" = Linux ] || exit 0
missing=()
for package in "${packages[@]}"; do [ -e "$folder/$package" ] || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

python3 -m pip --version >/dev/null 2>&1 || scripts/setup.sh --pip || true
mkdir -p "$folder"
work=$(mktemp -d .build/cuda-headers.XXXXXX)
trap 'rm -rf "$work"' EXIT
for package in "${missing[@]}"; do
    echo "get-cuda-headers: fetching $package from PyPI"
    python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$work/wheels" "$package" 2>"$work/pip.log" &&
        python3 -m zipfile -e "$work"/wheels/*.whl "$work/wheel" && cp -r "$work"/wheel/nvidia/*/include/. "$folder/" || {
        echo "get-cuda-headers: no $package: its headers will not be compared" >&2
        tail -n 3 "$work/pip.log" >&2
        continue
    }
    touch "$folder/$package"
    rm -rf "$work/wheels" "$work/wheel"
done
