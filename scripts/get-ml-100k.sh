#!/usr/bin/env bash
# get-ml-100k.sh FOLDER: puts MovieLens-100K (ml-100k.inter and ml-100k.item, RecBole's form) into FOLDER.
#
# GroupLens' licence lets you use the data for research, not redistribute it: it is fetched, never kept in this project.
set -euo pipefail
folder=$1
[ -s "$folder/ml-100k.inter" ] && [ -s "$folder/ml-100k.item" ] && exit 0
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The wheel of RecBole 1.2.1 carries it as an example.
from_wheel() {
    command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 || return 1
    python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$work" recbole==1.2.1 2>"$work/pip.log" &&
        python3 -m zipfile -e "$work"/recbole-*.whl "$work/wheel" &&
        cp "$work"/wheel/recbole/dataset_example/ml-100k/ml-100k.{inter,item} "$folder/"
}

# The original distribution, brought into the same form.
from_grouplens() {
    command -v curl >/dev/null && command -v unzip >/dev/null || return 1
    curl -fsSL -o "$work/ml-100k.zip" https://files.grouplens.org/datasets/movielens/ml-100k.zip &&
        unzip -q "$work/ml-100k.zip" -d "$work" &&
        { printf 'user_id:token\titem_id:token\trating:float\ttimestamp:float\n' && cat "$work/ml-100k/u.data"; } \
            >"$folder/ml-100k.inter" &&
        { printf 'item_id:token\tmovie_title:token_seq\n' &&
            iconv -f latin1 -t utf8 "$work/ml-100k/u.item" | awk -F '|' '{ print $1 "\t" $2 }'; } >"$folder/ml-100k.item"
}

from_wheel || from_grouplens || {
    rm -f "$folder"/ml-100k.{inter,item}
    echo "Neither PyPI (the wheel recbole 1.2.1, by python3 with pip) nor files.grouplens.org (by curl and unzip) gave" >&2
    echo "MovieLens-100K. Put ml-100k.inter and ml-100k.item into a folder and run: scripts/demo.sh --data FOLDER" >&2
    exit 69
}
