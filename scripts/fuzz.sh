#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Runs fuzz targets, all of them unless some are named, for FUZZ_SECONDS seconds each. What they find on the way is kept
# in target/fuzz-corpus, beside the committed corpora, which they start from.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
# The sanitizer is an option of the compiler that its releases take only if they are told so.
export RUSTC_BOOTSTRAP=1
host=$(rustc -vV | sed -n 's/^host: //p')
mapfile -t targets < <([ $# -eq 0 ] && cargo fuzz list --fuzz-dir fuzz || printf '%s\n' "$@")

# A dependency that is not as Cargo.lock says is an error, which cargo-fuzz has no option for.
cargo fetch --locked --manifest-path fuzz/Cargo.toml >&2
for target in "${targets[@]}"; do
    cargo fuzz build --fuzz-dir fuzz --target-dir target/fuzz "$target" >&2
    found=target/fuzz-corpus/$target
    reproducers=target/fuzz-reproducers/$target/
    log=target/fuzz-corpus/$target.log
    mkdir -p "$found" "$reproducers"
    if ! "target/fuzz/$host/release/$target" "$found" "fuzz/corpus/$target" -artifact_prefix="$reproducers" \
        -max_total_time="$seconds" -max_len=1400 -timeout=20 -print_final_stats=1 >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        reproducer=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "fuzz $target: failed; the reproducer is ${reproducer:-missing}, the log $log" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/^#.*DONE *cov: \([0-9]*\) .*/\1/p' "$log")
    elapsed=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second(s)$/\1/p' "$log")
    echo "evidence fuzz $target: ${executions:?} executions in ${elapsed:?} s, ${edges:?} edges covered, 0 crashes"
done
