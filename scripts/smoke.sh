#!/usr/bin/env bash
# smoke.sh PROGRAM: every command once, on data made here. Fails where a command does.
set -euo pipefail
recblr=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk 'BEGIN {
    srand(7); print "user_id,item_id,timestamp"
    for (u = 1; u <= 200; u++) { i = int(rand() * 50); for (t = 0; t < 20; t++) { print u ",i" i "," t; i = (i + 1 + int(rand() * 2)) % 50 } }
}' | gzip >"$work/log.csv.gz"
printf 'item_id\ttitle\n' >"$work/titles.tsv"
for i in $(seq 0 49); do printf 'i%s\tItem number %s\n' "$i" "$i" >>"$work/titles.tsv"; done

"$recblr" devices
"$recblr" prepare "$work/log.csv.gz" --titles "$work/titles.tsv" --output "$work/data"
"$recblr" inspect "$work/data"
"$recblr" train "$work/data" --model "$work/model" --epochs 3 --threads 2
[ -s "$work/model/report.html" ]
"$recblr" evaluate "$work/model" "$work/data"
"$recblr" evaluate "$work/model" "$work/data" --split global-time --json >/dev/null
"$recblr" recommend "$work/model" --data "$work/data" --user 1 --user 2 -k 3
"$recblr" recommend "$work/model" --history i1,i2,i4 --only i5,i6,i7 --json
"$recblr" recommend "$work/model" --data "$work/data" --all-users --output "$work/answers.tsv"
[ "$(wc -l <"$work/answers.tsv")" = 201 ]
"$recblr" inspect "$work/model"
"$recblr" experiment ablations "$work/data" --output "$work/ablations" --epochs 1 --threads 2
