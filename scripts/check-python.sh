#!/usr/bin/env bash
# check-python.sh [LIBRARY]: makes the wheel (scripts/wheel.sh) and tests it as its users have it, in fresh virtual environments: of the oldest and the newest
# Python that is here, that one alone, this one beside data frames; then its types, its pages and its notebook. VERSIONS=3.10,3.12 tests others.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/wheel.sh "$@" || {
    [ $? = 69 ] || exit 70
    echo "check-python: skipped: there is no wheel"
    exit 0
}
wheel=$(realpath .build/wheel/*.whl)
work=.build/python-tests
rm -rf "$work"
mkdir -p "$work"

# "3.9 path" of every CPython from 3.9 on, oldest first; also those of pyenv and uv, which need not be on the path.
pythons() {
    local minor found
    for minor in 9 10 11 12 13 14; do
        for found in "$(command -v "python3.$minor" || true)" "$HOME/.pyenv/versions/3.$minor."*/bin/python \
            "$HOME/.local/share/uv/python/cpython-3.$minor."*/bin/python; do
            [ -x "$found" ] && "$found" -c "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null || continue
            echo "3.$minor $found"
            break
        done
    done
}
if [ -n "${VERSIONS:-}" ]; then
    chosen=$(pythons | grep -E "^($(sed 's/\./\\./g; s/,/|/g' <<<"$VERSIONS")) ")
else
    chosen=$(pythons | sed -n '1p;$p' | uniq)
fi
[ -n "$chosen" ] || {
    echo "check-python: skipped: there is no Python 3.9 or newer with venv"
    exit 0
}

tests() { # PYTHON: all tests, from the tests' folder, so that nothing of the sources is found but them
    # "only 60 test cases": the library warns of small datasets, as it should, and the tests' are small.
    (cd python/tests && env -u PYTHONPATH XDG_CACHE_HOME="$OLDPWD/$work/cache" PYTHONDONTWRITEBYTECODE=1 timeout 900 "$OLDPWD/$1" -W "ignore:only" -m unittest -q "${@:2}")
}

oldest=$(head -1 <<<"$chosen") newest=$(tail -1 <<<"$chosen")

# The oldest with nothing beside the wheel, the newest with data frames.
while read -r version python; do
    environment=$work/$version
    "$python" -m venv "$environment"
    pip=("$environment/bin/pip" install -q --disable-pip-version-check --timeout 10 --retries 1)
    "${pip[@]}" --no-index "$wheel"
    if [ "$version $python" = "$oldest" ]; then
        echo "check-python: Python $version, the wheel alone"
        tests "$environment/bin/python"
    fi
    [ "$version $python" = "$newest" ] || continue
    "${pip[@]}" polars pandas pyarrow duckdb || {
        echo "check-python: skipped the rest: data frames cannot be had from PyPI here"
        continue
    }
    echo "check-python: Python $version beside $("$environment/bin/pip" list --format=freeze 2>/dev/null | grep -E '^(polars|pandas|pyarrow|duckdb|numpy)=' | tr '\n' ' ')"
    tests "$environment/bin/python"
    last=$environment last_python=$python
done <<<"$chosen"

[ -n "${last:-}" ] || exit 0
pip=("$last/bin/pip" install -q --disable-pip-version-check --timeout 10 --retries 1)
"${pip[@]}" mypy ruff nbclient ipykernel matplotlib || {
    echo "check-python: skipped style, types and notebook: ruff, mypy, nbclient and matplotlib cannot be had from PyPI here"
    exit 0
}
echo "check-python: style and types"
"$last/bin/ruff" check -q --cache-dir "$work/ruff" python
"$last/bin/ruff" format -q --check --cache-dir "$work/ruff" python
"$last/bin/mypy" --config-file python/pyproject.toml --cache-dir "$work/mypy" python/src/recblr python/src/recblr_command.py
"$last/bin/mypy" --strict --cache-dir "$work/mypy-user" python/tests/typed.py
echo "check-python: the notebook"
tests "$last/bin/python" test_notebook
# RecTools wants an older NumPy than pyarrow does.
"$last_python" -m venv "$work/rectools"
pip=("$work/rectools/bin/pip" install -q --disable-pip-version-check --timeout 10 --retries 1)
"${pip[@]}" --no-index "$wheel"
if "${pip[@]}" 'rectools>=0.19' polars; then
    echo "check-python: RecTools"
    tests "$work/rectools/bin/python" test_rectools test_documentation
else
    echo "check-python: skipped RecTools, which cannot be had from PyPI for this Python"
fi
echo "check-python: all passed"
