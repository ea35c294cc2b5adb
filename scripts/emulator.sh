#!/usr/bin/env bash
# emulator.sh [--test [--speed]]: builds the stand-in for NVIDIA's libraries (Tests/Emulator) with our CUDA kernels in it, unless that is
# up to date: .build/emulator/libcuda.so.1, libnvrtc.so.12, libcublasLt.so.12. --test: tests the stand-in itself instead.
set -euo pipefail
cd "$(dirname "$0")/.."
output=.build/emulator
mode=${1:-}

# What was built depends on the sources, this script and the machine's instructions.
machine=$(uname -m; grep -m1 -E '^(flags|Features)' /proc/cpuinfo || true)
up_to_date() { # FILE
    [ -e "$1" ] && [ "$machine" = "$(cat "$output/machine" 2>/dev/null)" ] &&
        [ -z "$(find Tests/Emulator Sources/Arithmetic/CCUDA scripts/emulator.sh -newer "$1" -print -quit)" ]
}
[ -z "$mode" ] && up_to_date "$output/libcuda.so.1" && exit 0

[ "$(uname -s)" = Linux ] || {
    echo "emulator: skipped: only for Linux"
    exit 0
}
# The compiler that came with Swift, or another clang++ that knows its library. (g++ makes fibers that do not work.)
usable() { [ -x "$1" ] && echo '#include <map>' | "$1" -std=c++17 -x c++ -fsyntax-only - 2>/dev/null; }
compiler=
for candidate in "$(dirname "$(readlink -f "$(command -v swift)")")/clang++" "$(command -v clang++)"; do
    usable "$candidate" && compiler=$candidate && break
done
[ -n "$compiler" ] || {
    echo "emulator: skipped: no clang++ here"
    exit 0
}

mkdir -p "$output"
exec 9>"$output/lock"
command -v flock >/dev/null && flock 9 # several test processes may want it at once
[ -z "$mode" ] && up_to_date "$output/libcuda.so.1" && exit 0
work=$(mktemp -d "$output/work.XXXXXX")
trap 'wait; rm -rf "$work"' EXIT
touch "$work/started" # a source that changes from here on is newer than what is built

flags=(-std=c++17 -O2 -g1 -fPIC -fvisibility=hidden -fno-exceptions -U_FORTIFY_SOURCE -Wall -Wextra
    -ITests/Emulator -ISources/Arithmetic/CCUDA/include)
"$compiler" -march=native -E -x c++ /dev/null >/dev/null 2>&1 && flags+=(-march=native)
# Kernels are checked as they run; Tests/Emulator/faults.cpp says what was found.
checks=bounds,alignment,shift,signed-integer-overflow,integer-divide-by-zero
kernel_flags=(-fno-math-errno -Wno-unknown-pragmas -Wno-pass-failed -Wno-unused "-fsanitize=$checks" "-fno-sanitize-recover=$checks")

# compile_kernels NAME FILE...: all kernels as one file, as the real compiler gets them, and the table of them.
compile_kernels() {
    local source=$work/$1.cpp
    echo '#include "prelude.h"' >"$source"
    shift
    local file
    for file in "$@"; do echo "#include \"$PWD/$file\"" >>"$source"; done
    "$compiler" "${flags[@]}" -DEMULATOR_LISTING -E -P "$source" | tr '\n' ' ' |
        grep -oE '__global__ +void +(__launch_bounds__ *\([^)]*\) +)?[A-Za-z_0-9]+ *\(' |
        sed -E 's/__global__ +void +(__launch_bounds__ *\(([^)]*)\) +)?([A-Za-z_0-9]+) *\(/\3 \2/' >"$work/kernels" || true
    {
        echo 'extern const emulator::Kernel emulator::kernels[] = {'
        local name bounds
        while read -r name bounds; do echo "EMULATOR_KERNEL($name${bounds:+, $bounds}),"; done <"$work/kernels"
        echo '{nullptr, nullptr, 0, 0}};'
    } >>"$source"
    # In LLVM's text of the program each division of floats becomes a call, which can be as inexact as a GPU's (approximate.h).
    "$compiler" "${flags[@]}" "${kernel_flags[@]}" -Xclang -disable-llvm-passes -S -emit-llvm "$source" -o - |
        sed -E 's/= fdiv [a-z ]*float ([^,]+), ([^,]+)/= call float @emulator_divide(float \1, float \2)/' >"$work/kernels.ll"
    "$compiler" "${flags[@]}" -Wno-unused-command-line-argument -c "$work/kernels.ll" -o "${source%.cpp}.o"
}

# The order of the real compilation: by bytes.
LC_ALL=C
pids=()
for file in Tests/Emulator/*.cpp; do
    "$compiler" "${flags[@]}" -Werror -c "$file" -o "$work/$(basename "$file" .cpp).part.o" &
    pids+=($!)
done
if [ "$mode" = --test ]; then
    compile_kernels selftest Tests/Emulator/selftest/arguments.h Tests/Emulator/selftest/*.cu
    for file in Tests/Emulator/selftest/*.cpp; do
        "$compiler" "${flags[@]}" -Werror -c "$file" -o "$work/$(basename "$file" .cpp).test.o"
    done
else
    compile_kernels kernels Sources/Arithmetic/CCUDA/include/arguments.h Sources/Arithmetic/CCUDA/kernels/*.cu
fi
for pid in "${pids[@]}"; do wait "$pid"; done

if [ "$mode" = --test ]; then
    "$compiler" "$work"/*.o -pthread -o "$work/selftest"
    "$work/selftest" "${@:2}"
    exit 0
fi
"$compiler" -shared -Wl,-z,defs "$work"/*.o -pthread -lm -o "$work/libcuda.so.1"
touch -r "$work/started" "$work/libcuda.so.1"
echo "$machine" >"$output/machine"
for name in libnvrtc.so.12 libcublasLt.so.12; do ln -sf libcuda.so.1 "$output/$name"; done
mv "$work/libcuda.so.1" "$output/libcuda.so.1"
