#!/usr/bin/env bash
# null-gpu.sh: builds the GPU that computes nothing (Tests/NullGPU), unless that is up to date: .build/null-gpu/libcuda.so.1,
# libnvrtc.so.12, libcublasLt.so.12.
set -euo pipefail
cd "$(dirname "$0")/.."
output=.build/null-gpu
[ "$(uname -s)" = Linux ] || {
    echo "null-gpu: skipped: only for Linux"
    exit 0
}
command -v cc >/dev/null || {
    echo "null-gpu: skipped: no C compiler here"
    exit 0
}
mkdir -p "$output"
exec 9>"$output/lock"
command -v flock >/dev/null && flock 9 # several test processes may want it at once
library=$output/libcuda.so.1
[ -e "$library" ] && [ -z "$(find Tests/NullGPU Sources/Arithmetic/CCUDA/include scripts/null-gpu.sh -newer "$library" -print -quit)" ] && exit 0
cc -std=c11 -O1 -fPIC -shared -Wall -Wextra -Werror -Wno-unused-parameter -ISources/Arithmetic/CCUDA/include Tests/NullGPU/*.c \
    -o "$library.new"
for name in libnvrtc.so.12 libcublasLt.so.12; do ln -sf libcuda.so.1 "$output/$name"; done
mv "$library.new" "$library"
