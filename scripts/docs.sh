#!/usr/bin/env bash
# docs.sh [OPTION OF SWIFT BUILD]...: the documentation of `import RecBLR` (DocC), under .build/docs/RecBLR.doccarchive. A warning is an error, and so is
# a public declaration without a comment. Uses modules that are built already, if they were built with these options.
set -euo pipefail
cd "$(dirname "$0")/.."
export SWIFT_DETERMINISTIC_HASHING=1  # as the Makefile's builds have it
swift=${SWIFT:-swift}
tools=$(dirname "$(readlink -f "$(command -v "$swift")")")
find_tool() { if [ -x "$tools/$1" ]; then echo "$tools/$1"; else command -v "$1" || xcrun --find "$1" 2>/dev/null; fi; }
docc=$(find_tool docc) && extract=$(find_tool swift-symbolgraph-extract) || { echo "docs: this toolchain has no docc: skipped"; exit 0; }

"$swift" build "$@" --target RecBLR >/dev/null
build=$("$swift" build "$@" --show-bin-path)
out=.build/docs
rm -rf "$out" && mkdir -p "$out/graphs"

# One graph of everything that the umbrella module exports.
modules=$(sed -n "s/^@_exported import \([A-Za-z]*\)$/\1/p" Sources/RecBLR/RecBLR.swift | paste -sd, -)
maps=()
for map in "$build"/*.build/module.modulemap Sources/*/*/module.modulemap; do maps+=(-Xcc "-fmodule-map-file=$map"); done
sdk=()
if [ "$(uname)" = Darwin ]; then sdk=(-sdk "$(xcrun --show-sdk-path)"); fi
target=$("$tools/swiftc" -print-target-info | sed -n 's/.*"triple": "\(.*\)",/\1/p' | head -n 1)
"$extract" -module-name RecBLR -target "$target" ${sdk[@]+"${sdk[@]}"} -I "$build/Modules" "${maps[@]}" \
    -module-cache-path "$out/modules" -output-dir "$out/graphs" -minimum-access-level public \
    -skip-synthesized-members "-experimental-allowed-reexported-modules=$modules"

python3 - "$out/graphs/RecBLR.symbols.json" <<'PYTHON'
import json, sys
bare = [s for s in json.load(open(sys.argv[1]))["symbols"] if "location" in s and "docComment" not in s]
for symbol in bare:
    print(f"docs: {symbol['location']['uri']}:{symbol['location']['position']['line'] + 1}: no comment: {'.'.join(symbol['pathComponents'])}")
sys.exit(bool(bare))
PYTHON

"$docc" convert Sources/RecBLR/RecBLR.docc --additional-symbol-graph-dir "$out/graphs" --output-path "$out/RecBLR.doccarchive" \
    --fallback-display-name RecBLR --fallback-bundle-identifier RecBLR --warnings-as-errors
echo "docs: $out/RecBLR.doccarchive"
