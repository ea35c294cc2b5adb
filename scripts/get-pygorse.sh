#!/usr/bin/env bash
# get-pygorse.sh: Gorse's client for Python under .build/pygorse, for the tests that call `recblr serve` by it; skipped where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.build/pygorse
[ ! -e "$folder/complete" ] || exit 0
if ! { python3 -m venv --clear "$folder" && "$folder/bin/pip" install --quiet --timeout 10 --retries 1 pygorse==0.5.1; } >"$folder.log" 2>&1; then
  echo "get-pygorse: pygorse cannot be installed here (see $folder.log): its test is skipped"
  exit 0
fi
touch "$folder/complete"
