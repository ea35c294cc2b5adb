#!/usr/bin/env bash
# check-c.sh [FOLDER]: the C interface as C programs see it, linked with FOLDER/libRecBLR.so (.build/lib): its tests under
# address and undefined-behaviour sanitizers, the same under valgrind where it is installed, the header in C99 and C++, and
# whether the interface is the one that Tests/CInterface/abi.txt lists (after a change: RECBLR_UPDATE_ABI=1).
set -euo pipefail
cd "$(dirname "$0")/.."
library=$(realpath "${1:-.build/lib}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=Tests/CInterface suppressions=$PWD/Tests/CInterface/valgrind.supp

# Every declaration without its comments, and the symbols that the library shows.
{
    sed '1,/^extern "C" {/d' "$library/recblr.h" | cc -fpreprocessed -dD -E -P - | grep -vE '^ *$'
    nm -D --defined-only "$library/libRecBLR.so" | awk '{ print "symbol", $3 }' | sort
} >"$work/abi.txt"
if [ "${RECBLR_UPDATE_ABI:-}" = 1 ]; then cp "$work/abi.txt" "$sources/abi.txt"; fi
diff "$sources/abi.txt" "$work/abi.txt" || {
    echo "check-c: the interface is not the one of $sources/abi.txt: raise RECBLR_ABI where a program of before would not run, then RECBLR_UPDATE_ABI=1 scripts/check-c.sh" >&2
    exit 70
}

printf '#include "recblr.h"\nint main(void) { return recblr_abi() != RECBLR_ABI; }\n' >"$work/header.c"
flags=(-Wall -Wextra -Werror "-I$library" "-I$sources" "-L$library" "-Wl,-rpath,$library")
cc -std=c99 -pedantic "${flags[@]}" "$work/header.c" -o "$work/header" -lRecBLR && "$work/header"
c++ -std=c++11 -x c++ "${flags[@]}" "$work/header.c" -o "$work/header" -lRecBLR && "$work/header"
echo "check-c: the header is C99 and C++11"

# A host program may have set a locale with another decimal point.
mkdir "$work/locales"
if localedef -i de_DE -f UTF-8 "$work/locales/de_DE.UTF-8" 2>/dev/null; then export LOCPATH=$work/locales; fi
for name in commands streams; do
    [ -e "$sources/$name.c" ] || continue
    cc -std=c11 -g "${flags[@]}" -fsanitize=address,undefined -fno-sanitize-recover=undefined "$sources/$name.c" -o "$work/$name-asan" -lRecBLR -lpthread -lm
    (mkdir "$work/asan-$name" && cd "$work/asan-$name" && "$work/$name-asan")
    if command -v valgrind >/dev/null; then
        cc -std=c11 -g "${flags[@]}" "$sources/$name.c" -o "$work/$name" -lRecBLR -lpthread -lm
        (mkdir "$work/valgrind-$name" && cd "$work/valgrind-$name" &&
            valgrind --quiet --suppressions="$suppressions" --error-exitcode=70 --errors-for-leak-kinds=definite "$work/$name")
    else
        echo "check-c: valgrind is not installed: $name was not run under it"
    fi
done

# The program of docs/c.md, with a log to read.
sed -n '/^```c$/,/^```$/p' docs/c.md | sed '1d;$d' >"$work/shop.c"
cc -std=c11 "${flags[@]}" "$work/shop.c" -o "$work/shop" -lRecBLR
mkdir "$work/shop-run"
awk 'BEGIN { print "user,item,time"; for (u = 0; u < 40; u++) for (e = 0; e < 9; e++) print "u" u ",sku-" (u + e * e) % 17 "," 1000 * u + e }' \
    >"$work/shop-run/shop.csv"
(cd "$work/shop-run" && "$work/shop" 2>shop.log) | awk 'NF == 2 && $1 ~ /^sku-/ { found++ } END { if (found != 5) exit 70; print "check-c: the program of docs/c.md runs" }'
