#!/usr/bin/env bash
# check-openapi.sh PROGRAM [OPTION...]: whether /openapi.json is valid OpenAPI 3.1, its examples are what its schemas say, and `recblr serve` does what it says:
# openapi-spec-validator, then
# schemathesis with requests made from it, good and bad. OPTIONs go to schemathesis (`--seed 7 --max-examples 1000`). With URL instead of PROGRAM, a server that
# runs. Skips where PyPI cannot be reached.
set -euo pipefail
target=$1
shift
venv=$(realpath "$(dirname "$0")/..")/.build/openapi-venv
[ -x "$venv/bin/schemathesis" ] || {
    python3 -m venv "$venv" && "$venv/bin/pip" install -q 'schemathesis>=4,<5' 'openapi-spec-validator<1'
} || {
    rm -rf "$venv"
    echo "check-openapi: skipped: schemathesis cannot be installed from PyPI"
    exit 0
}
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT

serve() { # a small model, a log in memory, any free port
    awk 'BEGIN { srand(7); print "user_id,item_id,timestamp"
        for (u = 1; u <= 50; u++) for (t = 0; t < 10; t++) print u ",i" int(rand() * 30) "," t }' >"$work/log.csv"
    "$target" prepare "$work/log.csv" --output "$work/data" --min-user-events 1 --min-item-events 1
    "$target" train "$work/data" --model "$work/models/v1" --hidden-size 8 --epochs 1 --threads 1
    "$target" serve --models "$work/models" --in-memory --port 0 --maximum-wait 60s 2>"$work/log" &
    server=$!
    while kill -0 "$server"; do
        url=$(sed -n 's/.*Serving .* on \(http[^ ]*\).*/\1/p' "$work/log")
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    cat "$work/log" >&2
    echo "check-openapi: recblr serve did not start" >&2
    exit 1
}

case $target in
http*) url=$target ;;
*) serve >"$work/training" 2>&1 || { cat "$work/training" >&2; exit 1; } ;;
esac

python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' "$url/openapi.json" >"$work/openapi.json"
"$venv/bin/openapi-spec-validator" "$work/openapi.json"
"$venv/bin/python" - "$work/openapi.json" <<'END'
import json, sys
from jsonschema import Draft202012Validator

document = json.load(open(sys.argv[1]))

def examples(value, path):
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from examples(each, f"{path}/{index}")
    elif isinstance(value, dict):
        if "schema" in value and "example" in value:
            yield path, value["schema"], value["example"]
        for key, each in value.items():
            yield from examples(each, f"{path}/{key}")

failures = 0
for path, schema, example in examples(document, ""):
    for error in Draft202012Validator({**schema, "components": document["components"]}).iter_errors(example):
        print(f"check-openapi: the example at {path} is not what its schema says: {error.message}", file=sys.stderr)
        failures += 1
sys.exit(failures > 0)
END
# Not checked: that every request which fits the schemas is taken: times that lie ahead, cursors and tokens that are none of ours fit, too.
cd "$work"  # it keeps notes of its own
"$venv/bin/schemathesis" run "$url/openapi.json" --checks all --exclude-checks positive_data_acceptance \
    --phases examples,coverage,fuzzing --max-examples 50 --seed 1 --no-color "$@"
