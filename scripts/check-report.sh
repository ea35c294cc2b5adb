#!/usr/bin/env bash
# check-report.sh MODEL [FOLDER]: renders a model's report as PNGs (phone and desktop, light and dark) into FOLDER, by default
# MODEL-report. Fails where the page is wider than a phone or the browser complains. Skips where there is no Chromium.
set -euo pipefail
report=$(realpath "$1/report.html")
pictures=${2:-${1%/}-report}
phone=390

for name in chromium chromium-browser google-chrome; do
    browser=$(command -v "$name") && break
done
[ -n "${browser:-}" ] || {
    echo "check-report: skipped: there is no chromium on the PATH"
    exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$pictures"
flags=(--headless --disable-gpu --hide-scrollbars --enable-logging=stderr "--user-data-dir=$work/profile")
[ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)

# A frame as wide as a phone (windows do not become that narrow), whose size a script writes down.
cp "$report" "$work/report.html"
measure() { # width -> "viewport page height"
    cat >"$work/frame.html" <<HTML
<iframe src="report.html" style="width: $1px; height: 800px; border: 0" onload="
  const page = contentDocument.documentElement;
  document.body.dataset.size = [contentWindow.innerWidth, page.scrollWidth, page.scrollHeight].join(' ')"></iframe>
HTML
    "$browser" "${flags[@]}" --allow-file-access-from-files --dump-dom "file://$work/frame.html" 2>>"$work/log" |
        sed -n 's/.*data-size="\([0-9 ]*\)".*/\1/p'
}

for width in $phone 1100; do
    read -r viewport page height <<<"$(measure "$width")"
    : "${height:?the browser measured nothing}"
    if [ "$page" -gt "$viewport" ]; then
        echo "check-report: the page is $page pixels wide where there are $viewport" >&2
        exit 1
    fi
    for scheme in dark light; do
        "$browser" "${flags[@]}" --window-size="$width,$height" \
            --blink-settings=preferredColorScheme="$([ $scheme = dark ] && echo 0 || echo 1)" \
            --screenshot="$work/picture.png" "file://$report" 2>>"$work/log"
        mv "$work/picture.png" "$pictures/$width-$scheme.png"
    done
done
if grep CONSOLE "$work/log" >&2; then exit 1; fi
echo "check-report: fits $phone pixels; pictures in $pictures"
