#!/usr/bin/env bash
# get-nvrtc.sh: puts NVIDIA's run-time compiler and its header into .build/nvrtc, where the tests look for it to compile the CUDA kernels
# (no GPU is needed). Where it cannot be had the tests skip that: no error.
set -euo pipefail
cd "$(dirname "$0")/.."
package=nvidia-cuda-nvrtc-cu12
version=12.9.86
folder=.build/nvrtc
[ "$(cat "$folder/version" 2>/dev/null)" = "$version" ] && [ -e "$folder/nvrtc.h" ] && exit 0
[ "$(uname -s)" = Linux ] || exit 0

python3 -m pip --version >/dev/null 2>&1 || scripts/setup.sh --pip || true
mkdir -p .build
work=$(mktemp -d .build/nvrtc.XXXXXX)
trap 'rm -rf "$work"' EXIT

echo "get-nvrtc: fetching $package $version from PyPI"
python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$work" "$package==$version" 2>"$work/pip.log" &&
    python3 -m zipfile -e "$work"/*.whl "$work/wheel" || {
    echo "get-nvrtc: no $package $version: the kernels will not be tried with NVIDIA's compiler" >&2
    tail -n 3 "$work/pip.log" >&2
    exit 0
}
mkdir "$work/ready"
mv "$work"/wheel/nvidia/cuda_nvrtc/{lib/libnvrtc{,-builtins}.so.*,include/nvrtc.h} "$work/ready/"
echo "$version" >"$work/ready/version"
rm -rf "$folder"
mv "$work/ready" "$folder"
