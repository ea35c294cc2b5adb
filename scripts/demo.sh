#!/usr/bin/env bash
# demo.sh [--data FOLDER] [PROGRAM]: from MovieLens-100K to recommendations with titles, and how to look at them live.
set -euo pipefail
cd "$(dirname "$0")/.."
data=demo/ml-100k
if [ "${1:-}" = --data ]; then
    data=$2
    shift 2
fi
recblr=${1:-.build/release/recblr}

say() { printf '\n== %s\n\n' "$*"; }

if [ "$data" = demo/ml-100k ]; then
    say "Getting MovieLens-100K"
    scripts/get-ml-100k.sh "$data"
fi
say "Preparing: users, items and events in order of time"
"$recblr" prepare "$data/ml-100k.inter" --titles "$data/ml-100k.item" --output demo/dataset
say "Training"
"$recblr" train demo/dataset --model demo/model --restart
say "Evaluating"
"$recblr" evaluate demo/model demo/dataset
say "Recommending"
"$recblr" recommend demo/model --data demo/dataset --user 1 --user 42 --user 405 -k 10
say "Now try: $recblr recommend demo/model --title 'Toy Story' --title Aladdin
   or in a browser: $recblr serve --models demo/model --store demo/events
   and open http://127.0.0.1:8080/"
