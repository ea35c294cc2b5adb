#!/usr/bin/env bash
# Runs the tests in a debug build and prints the line coverage of Sources/, by target.
set -euo pipefail
cd "$(dirname "$0")/.."
swift test --enable-code-coverage
json=$(swift test --show-codecov-path)
python3 - "$json" <<'PYTHON'
import collections, json, os, sys
files = json.load(open(sys.argv[1]))["data"][0]["files"]
lines = collections.defaultdict(lambda: [0, 0])
root = os.getcwd() + "/Sources/"
for file in files:
    if file["filename"].startswith(root):
        summary = file["summary"]["lines"]
        parts = file["filename"][len(root):].split("/")  # FLOOR/TARGET/..., or TARGET/...
        for name in (parts[1] if len(parts) > 2 else parts[0], "all"):
            lines[name][0] += summary["covered"]
            lines[name][1] += summary["count"]
for name, (covered, count) in sorted(lines.items(), key=lambda entry: (entry[0] == "all", entry[0])):
    print(f"coverage  {name:18} {100 * covered / max(1, count):5.1f} %  of {count} lines")
PYTHON
