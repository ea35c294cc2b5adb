#!/usr/bin/env bash
# package-tests.sh: makes .build/package/recblr-tests-ARCH-linux.tar.gz, the suites that `make test-cuda` runs and recblr-bench, for a
# machine that has a GPU and no Swift: unpack it there and start its `run` or its `bench`. Everything but the C library comes along.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(uname -s)" = Linux ] || {
    echo "package-tests: this makes packages for Linux, on Linux" >&2
    exit 69
}
swift build --build-tests
swift build -c release --product recblr-bench
name=recblr-tests-$(uname -m)-linux
folder=.build/package/$name
rm -rf "$folder" "$folder.tar.gz"
mkdir -p "$folder/lib"
strip -o "$folder/tests" "$(swift build --show-bin-path)"/*PackageTests.xctest
strip -o "$folder/recblr-bench" .build/release/recblr-bench
cp -r Tests/Fixtures/reference "$folder/fixtures"
cp scripts/cuda-libraries.sh "$folder/"
ldd "$folder/tests" "$folder/recblr-bench" | awk '$2 == "=>" && $1 !~ /^lib(c|m|dl|rt|pthread)\.so/ { print $3 }' | sort -u | xargs -I{} cp -L {} "$folder/lib/"
strip --strip-unneeded "$folder"/lib/*
cat >"$folder/run" <<'RUN'
#!/bin/sh
# run [OPTION...]: every operation, the model's fixtures, steps and scans, and whole trainings on this machine's GPU, against the plain
# oracle and the CPU. Options are those of `swift test`: --filter, --skip.
cd "$(dirname "$0")" || exit
[ $# -gt 0 ] || set -- --filter '^(OperationTests\.GPUTests|OperationTests\.(NotANumber|EqualNumbers)Tests|ModelsTests|TrainingTests\.(GPUTraining|ReplicaStep)Tests)'
RECBLR_CUDA_PATH=$(./cuda-libraries.sh) LD_LIBRARY_PATH=$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} RECBLR_TEST_GPU=1 \
    RECBLR_FIXTURES=$PWD/fixtures exec ./tests --testing-library swift-testing "$@"
RUN
cat >"$folder/bench" <<'BENCH'
#!/bin/sh
# bench [ARGUMENT...]: recblr-bench.
folder=$(dirname "$0")
RECBLR_CUDA_PATH=$("$folder/cuda-libraries.sh") LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    exec "$folder/recblr-bench" "$@"
BENCH
chmod +x "$folder/run" "$folder/bench"
tar -czf "$folder.tar.gz" -C .build/package --owner=0 --group=0 "$name"
echo "package-tests: $(stat -c %s "$folder.tar.gz") bytes packed: $folder.tar.gz"
