#!/usr/bin/env bash
# check-page.sh PROGRAM [FOLDER]: uses the page of `recblr serve` in headless Chromium by keyboard, by clicks, on a phone, in light and dark, with a
# server that is busy, full or gone, and with titles that would be markup; pictures go into FOLDER, by default .build/page. Skips where there is no
# Chromium.
set -euo pipefail
command -v python3 >/dev/null || { echo "check-page: skipped: python3 is not here"; exit 0; }
exec python3 -B "$(dirname "$0")/../Tests/Page/check.py" "$@"
