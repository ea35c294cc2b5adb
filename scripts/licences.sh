#!/usr/bin/env bash
# licences.sh FOLDER [CHECKOUTS]: the licences of what is linked into the program and its library, a file each: the project's own, those of its packages
# (where a build has put them), of Swift and of the system's libraries. (SQLite is in the public domain.)
set -euo pipefail
folder=$(realpath -m "$1")
cd "$(dirname "$0")/.."
checkouts=${2:-}
[ -n "$checkouts" ] || for checkouts in .build/checkouts .build/tested/checkouts; do [ ! -d "$checkouts" ] || break; done
[ -d "$checkouts" ] || {
    echo "licences: there are no packages in $checkouts" >&2
    exit 66
}
mkdir -p "$folder"
cp LICENSE "$folder/recblr.txt"
for text in "$checkouts"/*/{LICENSE,NOTICE}{,.txt}; do
    [ ! -f "$text" ] || cp "$text" "$folder/$(basename "$(dirname "$text")")-$(basename "${text%.txt}").txt"
done
swift=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")/share/swift/LICENSE.txt
[ ! -f "$swift" ] || cp "$swift" "$folder/Swift.txt"
for package in libopenblas-serial-dev libopenblas0-serial libopenblas-dev zlib1g libstdc++6 libicu72 libicu74; do
    [ ! -f "/usr/share/doc/$package/copyright" ] || cp "/usr/share/doc/$package/copyright" "$folder/$package.txt"
done
