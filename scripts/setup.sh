#!/usr/bin/env bash
# setup.sh [--pip | --checks | --lib]: installs the system libraries that the build needs (and pip, which fetches the demo's data and the tests'
# CUDA compiler; or what the checks of the page, of the API and of the C interface use; or what libRecBLR.so is linked from) and this machine lacks. Asks for root only if it must.
set -euo pipefail

command -v swift >/dev/null || {
    echo "setup: there is no 'swift' on the PATH; get Swift 6.2 or newer from https://www.swift.org/install" >&2
    exit 69
}
[ "$(uname -s)" = Linux ] || exit 0 # Apple platforms bring BLAS, zlib and SQLite.

# What the compiler finds counts, not which package brought it.
has_header() { echo "#include <$1>" | cc $(pkg-config --cflags "$2" 2>/dev/null) -E -x c - >/dev/null 2>&1; }

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
has_header cblas.h openblas || missing+=(libopenblas-dev)
has_header zlib.h zlib || missing+=(zlib1g-dev)
has_header sqlite3.h sqlite3 || missing+=(libsqlite3-dev)
[ "${1:-}" = --pip ] && { python3 -m pip --version >/dev/null 2>&1 || missing+=(python3 python3-pip); }
[ "${1:-}" = --checks ] && {
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    command -v valgrind >/dev/null || missing+=(valgrind)
    command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
}
[ "${1:-}" = --lib ] && {
    [ -e "$("$(dirname "$0")/openblas-serial.sh")" ] || missing+=(libopenblas-serial-dev)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
}
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
    echo "setup: please install what Debian calls: ${missing[*]}" >&2
    exit 69
}
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup: please run as root: apt-get install ${missing[*]}" >&2
        exit 77
    }
    run=(sudo)
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 || {
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
}
