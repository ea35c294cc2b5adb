#!/usr/bin/env bash
# package.sh: makes .build/package/recblr-VERSION-ARCH-linux.tar.gz, a folder that runs on any Linux whose C library is at least as
# new as this machine's, without Swift, OpenBLAS and SQLite: the program with Swift's runtime in it, and in lib/ every library it links but
# the C library's. Then shows that: nothing else is taken from the system, and every command works in a root that has nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=60000000 # bytes, packed
[ "$(uname -s)" = Linux ] || {
    echo "package: this makes packages for Linux, on Linux" >&2
    exit 69
}
say() { printf 'package: %s\n' "$*"; }

# C++'s library is linked from its archive and by lld, which drops what nobody calls: either would want a newer C library.
# The older kind of run path (no "new tags") is searched for the libraries' own libraries too.
target=.build/package
mkdir -p "$target/archives"
ln -sf "$(cc -print-file-name=libstdc++.a)" "$target/archives/"
swift build -c release --product recblr --static-swift-stdlib --scratch-path "$target/build" \
    -Xswiftc -use-ld=lld -Xswiftc "-L$PWD/$target/archives" -Xlinker --disable-new-dtags -Xlinker -rpath -Xlinker "\$ORIGIN/lib"
built=$target/build/release/recblr
name=recblr-$("$built" --version)-$(uname -m)-linux
folder=$target/$name
rm -rf "$folder" "$folder.tar.gz"
mkdir -p "$folder/lib"
cp docs/gpu.md docs/operations.md "$folder/"
scripts/licences.sh "$folder/licences" "$target/build/checkouts"
strip -o "$folder/recblr" "$built"

# "name path" of every library that the loader finds; the loader itself has no name, the kernel's page no path.
libraries() { ldd "$1" | awk '$2 == "=>" { print $1, $3 } $1 ~ /^\// { print "-", $1 }'; }
of_c_library() { [[ $1 =~ ^(-|lib(c|m|dl|rt|pthread)\.so\.[0-9]+|ld-linux.*)$ ]]; }

libraries "$folder/recblr" | while read -r library path; do
    of_c_library "$library" || cp -L "$path" "$folder/lib/$library"
done
tar -czf "$folder.tar.gz" -C "$target" --owner=0 --group=0 "$name"

# From here on nothing is made, only looked at, as unpacked somewhere else.
root=$(realpath "$(mktemp -d)")
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/tmp"
tar -xzf "$folder.tar.gz" -C "$root" --transform "s/^$name/recblr/"
libraries "$root/recblr/recblr" | while read -r library path; do
    if of_c_library "$library"; then
        cp -L --parents "$path" "$root"
    elif [[ $path != "$root/recblr/lib/"* ]]; then
        say "$library comes from outside of the package: $path" >&2
        exit 70
    fi
done
size=$(stat -c %s "$folder.tar.gz")
[ "$size" -lt "$limit" ] || {
    say "$size bytes; the limit is $limit" >&2
    exit 70
}

# Paths mean the same inside the root: there, the root's own path leads back to it. The loader wants /proc, to find lib/.
mkdir -p "$root$(dirname "$root")" "$root/proc"
ln -s / "$root$root"
printf '#!/bin/sh\nexec env -i "%s" "%s" /recblr/recblr "$@"\n' "$(command -v chroot)" "$root" >"$root/run"
chmod +x "$root/run"
inside() { # COMMAND...: with /proc in the root, and as one who may change roots
    unshare --map-root-user --mount sh -c 'mount --rbind /proc "$0/proc" && TMPDIR=$0/tmp exec "$@"' "$root" "$@"
}
if ! inside chroot "$root" /recblr/recblr --version >"$root/log" 2>&1; then
    cat "$root/log"
    say "not tried in an empty root: see above"
elif inside scripts/smoke.sh "$root/run" >"$root/log" 2>&1; then
    say "every command works in a root that holds nothing but the package and the C library"
else
    cat "$root/log" >&2
    say "a command fails in a root that holds nothing but the package and the C library" >&2
    exit 70
fi
newest=$(objdump -T "$folder/recblr" "$folder"/lib/* | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
(cd "$folder" && find . -type f -printf '%10s  %P\n' | sort -k2)
say "wants the GNU C library ${newest#GLIBC_} or newer; $(du -sb "$folder" | cut -f1) bytes unpacked, $size packed:"
say "$folder.tar.gz"
