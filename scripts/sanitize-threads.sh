#!/usr/bin/env bash
# Runs the tests of the service (log, states, requests) under thread sanitizer, in a build folder of its own: ten minutes. Without those that
# measure memory, of which the sanitizer takes its own.
set -euo pipefail
cd "$(dirname "$0")/.."

export TSAN_OPTIONS="suppressions=$PWD/Tests/Sanitizers/threads.suppressions halt_on_error=0 report_thread_leaks=0"
swift test --sanitize=thread --scratch-path .build/threads --filter 'LiveTests|EventLogTests|ServerTests' \
    --skip StateMemoryTests
