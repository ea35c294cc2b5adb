#!/usr/bin/env bash
# test-cuda.sh [PROGRAM [BENCH]]: tests of the CUDA backend on this machine's GPU. With PROGRAM, of a package, say: what can be tried
# with the program alone, without Swift, and with the benchmarks where BENCH is given. Without: the suites first, then the same with the
# program that they built. Where compute-sanitizer is on the PATH the program runs under it, too. Goes on after a failure; says at the
# end what passed, what was not run and what failed, and ends with 1 if anything did; ends with 69, and nothing was run, where no GPU
# can be used.
set -euo pipefail
say() { printf 'test-cuda: %s\n' "$*"; }

program=${1:-} bench=${2:-}
[ -z "$program" ] || program=$(realpath "$program")
[ -z "$bench" ] || bench=$(realpath "$bench")
cd "$(dirname "$0")/.."
if [ -z "$program" ]; then
    command -v swift >/dev/null || {
        say "there is no Swift here: scripts/test-cuda.sh PROGRAM tests a packaged program" >&2
        exit 69
    }
    swift build --product recblr
    swift build --product recblr-bench
    suites=yes program=$(swift build --show-bin-path)/recblr
    bench=$(swift build --show-bin-path)/recblr-bench
fi
RECBLR_CUDA_PATH=$(scripts/cuda-libraries.sh)
export RECBLR_CUDA_PATH
devices=$("$program" devices)
echo "$devices"
grep -q '^cuda:.* yes$' <<<"$devices" || {
    say "no GPU that can be used: nothing was run" >&2
    exit 69
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=() left_out=() failed=()
step() { # NAME COMMAND...
    local start=$SECONDS
    say "$1"
    if "${@:2}"; then
        passed+=("$1, $((SECONDS - start)) s")
    else
        failed+=("$1 (status $?)")
        say "FAILED: $1" >&2
    fi
}

if [ -n "${suites:-}" ]; then
    # The machine's own GPU beside the emulated one, each against the oracle and the CPU.
    step "suites: operations, model, training and benchmarks" env RECBLR_TEST_GPU=1 \
        swift test --filter '^(OperationTests|ModelsTests|TrainingTests\.(GPUTraining|ReplicaStep)Tests|BenchmarksTests\.GPUBenchTests)'
else
    left_out+=("suites: they want Swift, or the package of scripts/package-tests.sh")
fi

export XDG_CACHE_HOME=$work/cache # of kernels: compiled here and now
# 200 users that walk around a circle of 50 items, a little at random: one sequence a line.
awk 'BEGIN {
    srand(7)
    for (u = 1; u <= 200; u++) {
        i = int(rand() * 50); line = u
        for (t = 0; t < 20; t++) { line = line " i" i; i = (i + 1 + int(rand() * 2)) % 50 }
        print line
    }
}' >"$work/log.txt"
train() { # MODEL OPTION...
    "$program" train "$work/data" --model "$work/$1" --epochs 3 --batch-tokens 512 --threads 1 "${@:2}" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        return 1
    }
}
losses() { grep -o '"loss":[-+.e0-9]*' "$work/$1/training.jsonl" | cut -d: -f2; }
metrics() { "$program" evaluate "$work/$1" "$work/data" --device "$2" | grep '^RecBLR' | grep -oE '[01]\.[0-9]+'; }
agree() { # LIMIT NUMBERS NUMBERS: no pair differs by more than the limit, beside the second
    paste -d ' ' <(echo "$2") <(echo "$3") | awk -v limit="$1" '
        { d = ($1 - $2) / $2; d = d < 0 ? -d : d; if (!(d <= worst)) worst = d }
        END { printf "largest relative difference %g, limit %g\n", worst, limit; exit !(NF == 2 && worst <= limit) }'
}
# Commands in these are joined with &&: inside of a condition, where `step` calls them, bash does not stop at a failure by itself.
on_the_cpu() { "$program" prepare "$work/log.txt" --output "$work/data" >/dev/null && train cpu --device cpu --precision float32; }
as_on_the_cpu() { # PRECISION LIMIT: the curve of losses
    train "$1" --device cuda --precision "$1" && agree "$2" "$(losses "$1")" "$(losses cpu)"
}
same_again() { train again --device cuda --precision float32 && cmp "$work/float32/model.safetensors" "$work/again/model.safetensors"; }
same_metrics() { agree 0.05 "$(metrics float32 cuda)" "$(metrics float32 cpu)"; }

step "training on the CPU, to compare with" on_the_cpu
step "training in float32: losses as on the CPU" as_on_the_cpu float32 1e-3
step "training in tf32: losses as on the CPU's float32" as_on_the_cpu tf32 2e-2
step "training in bfloat16: losses as on the CPU's float32" as_on_the_cpu bfloat16 2e-2
step "the same training again: the same bytes" same_again
step "evaluation: metrics as on the CPU" same_metrics
[ -z "$bench" ] || step "recblr-bench gpu --tiny" "$bench" gpu --tiny

if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        checked=(compute-sanitizer --tool "$tool" --error-exitcode 1)
        [ -z "$bench" ] || step "$tool: recblr-bench gpu --tiny" "${checked[@]}" "$bench" gpu --tiny
        step "$tool: training and its test" "${checked[@]}" "$program" train "$work/data" --model "$work/$tool" --device cuda \
            --epochs 1 --batch-tokens 512 --hidden-size 16
    done
else
    left_out+=("memcheck and racecheck: there is no compute-sanitizer (of the CUDA toolkit) on the PATH")
fi

[ ${#passed[@]} -eq 0 ] || printf 'test-cuda: passed: %s\n' "${passed[@]}"
[ ${#left_out[@]} -eq 0 ] || printf 'test-cuda: not run: %s\n' "${left_out[@]}"
[ ${#failed[@]} -eq 0 ] || {
    printf 'test-cuda: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
}
