#!/usr/bin/env bash
# Runs every C kernel of every instruction set over awkward sizes under address and undefined-behaviour sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."

# The kernels need clang's vector extensions: take the one that came with Swift.
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
[ -x "$clang" ] || clang=$(command -v clang || true)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-fsanitize=address,undefined -fno-sanitize-recover=all)
echo 'int main(void) { return 0; }' >"$work/probe.c"
if [ -z "$clang" ] || ! "$clang" "${flags[@]}" "$work/probe.c" -o "$work/probe" 2>/dev/null || ! "$work/probe"; then
    echo "sanitize: skipped: no clang with sanitizers here"
    exit 0
fi
# Linkers warn about the sanitizers' own symbols: what they say is shown only where they fail.
"$clang" -std=gnu17 -O1 -g -Wall -Werror "${flags[@]}" -ISources/Arithmetic/CKernels/include -ISources/Arithmetic/CKernels \
    Sources/Arithmetic/CKernels/*.c Tests/Sanitizers/kernels.c -lm -o "$work/kernels" 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}
"$work/kernels"
