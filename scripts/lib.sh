#!/usr/bin/env bash
# lib.sh [OPTION OF SWIFT BUILD]...: links .build/lib/libRecBLR.so, the C interface with Swift's runtime and OpenBLAS in it, beside its headers. It needs
# the C library alone and shows what recblr.h declares alone; what nobody calls is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
export SWIFT_DETERMINISTIC_HASHING=1  # as the Makefile's builds have it
[ "$(uname -s)" = Linux ] || {
    echo "lib: this links a library for Linux, on Linux" >&2
    exit 69
}
[ $# -gt 0 ] || set -- -c release
target=.build/lib
swift build "$@" --product _RecBLRC
built=$(swift build "$@" --show-bin-path)
runtime=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")/lib/swift_static/linux
mkdir -p "$target"
cp Sources/CInterface/CRecBLR/include/recblr.h Sources/Data/CArrow/include/CArrow.h "$target/"
{
    echo '{ global:'
    sed -nE 's/^[a-z].*[ *](recblr_[a-z_]+)\(.*/\1;/p' "$target/recblr.h"
    echo 'local: *; };'
} >"$target/exports.map"
# Archives, which the linker would otherwise take from shared libraries. This OpenBLAS starts no threads: CPUBackend has its own, and
# a library that starts some when it is loaded would be a bad guest.
archives=("$(scripts/openblas-serial.sh)")
for name in stdc++ sqlite3 z; do archives+=("$(cc -print-file-name=lib$name.a)"); done
# Functions with the same code are one (icf): OpenBLAS has many of its kernels several times, which are an eighth of the library.
cc -shared -o "$target/libRecBLR.so" -fuse-ld=lld -Wl,-soname,libRecBLR.so -Wl,--version-script="$target/exports.map" \
    -Wl,--gc-sections -Wl,--icf=all -Wl,--no-undefined "$runtime/$(uname -m)/swiftrt.o" \
    -Wl,--whole-archive "$built/lib_RecBLRC.a" -Wl,--no-whole-archive -L"$runtime" -Wl,--start-group "${archives[@]}" \
    -lFoundation -lFoundationInternationalization -lFoundationEssentials -l_FoundationCShims -l_FoundationCollections \
    -lCoreFoundation -l_FoundationICU -lswiftSynchronization -lswiftDispatch -ldispatch -lBlocksRuntime -lswiftGlibc \
    -lswift_StringProcessing -lswift_RegexParser -lswift_Builtin_float -lswift_Concurrency -lswiftSwiftOnoneSupport -lswiftCore \
    -Wl,--end-group -static-libgcc -lm -lpthread -ldl
strip -g "$target/libRecBLR.so"  # names of functions stay, for whoever looks at a crash
