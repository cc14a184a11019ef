#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The long tests. Prints a line for each promise with its figure as it comes, and keeps all lines in
# build/check-long/evidence.txt; docs/reliability.md says what each line stands for, and --update writes them there and
# into the README.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=build/check-long
evidence=$logs/evidence.txt
mkdir -p "$logs"
: >"$evidence"
export EVAGG_LONG=1

# step <name> <command>...: its lines of evidence, of which there has to be one; or what went wrong.
step() {
    local log=$logs/$1.log
    if ! "${@:2}" >"$log" 2>&1 || ! grep -o 'evidence .*' "$log" | tee -a "$evidence"; then
        tail -n 40 "$log" >&2
        echo "check-long: $1 failed; all of its output is in $log" >&2
        exit 1
    fi
}

rust_test() { cargo test --release --locked --test "$@" -- --nocapture; }

c_test() { "build/release/c-tests/evagg_test_$1"; }

# Every C test of a preset with sanitizers, for the usual time; a report makes a test fail. All is joined by &&, because
# the shell does not stop at an error within a condition.
sanitized() {
    env -u EVAGG_LONG cmake --workflow --preset "$1" | tee "$logs/$1.ctest" &&
        grep -q '^100% tests passed' "$logs/$1.ctest" &&
        echo "evidence $2: $(sed -n 's/^100% tests passed, 0 tests failed out of //p' "$logs/$1.ctest") tests, no report"
}

valgrind_watch() {
    local capture=examples/evagg-watch/demo.pcap
    valgrind --leak-check=full --errors-for-leak-kinds=definite,possible --error-exitcode=1 \
        build/release/examples/evagg-watch/evagg-watch --pcap "$capture" --interval 1 &&
        echo "evidence valgrind on evagg-watch: $(tshark -r "$capture" 2>/dev/null | wc -l) packets replayed, no error, no leak"
}

firmware() {
    cmake --preset cortex-m4f -B "$logs/cortex-m4f" -DEVAGG_LONG=ON &&
        cmake --build "$logs/cortex-m4f" --target evagg_test_every_instruction evagg_test_warm_reset &&
        ctest --test-dir "$logs/cortex-m4f" --verbose --no-tests=error -R "bare_metal\.($1)$"
}

cmake --preset release >/dev/null
cmake --build --preset release >"$logs/build.log" 2>&1

step model env PROPTEST_CASES=500000 cargo test --release --locked --test conservation -- --nocapture conserved
step small-scope rust_test small_scope
step interleavings rust_test interleavings
step damaged-images rust_test images
step every-store c_test every_store
step threads c_test threads_long
step paging c_test threads_paging
step lock-callbacks c_test holds
step re-entry c_test reentry
step busy firmware every_instruction
step warm-reset firmware warm_reset
step asan sanitized asan "AddressSanitizer and UndefinedBehaviorSanitizer"
step tsan sanitized tsan "ThreadSanitizer"
step valgrind valgrind_watch
step fuzz scripts/fuzz.sh
if [ "${1:-}" = --update ]; then
    scripts/write-evidence.sh "$evidence"
fi
echo "check-long: all passed in $((SECONDS / 60)) min; the lines are in $evidence"
