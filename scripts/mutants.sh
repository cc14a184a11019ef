#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Changes the library in one place after another and sees whether a Rust test fails; .cargo/mutants.toml says where and
# with which tests. MUTANTS_ARGS is handed to cargo-mutants, such as "--file src/store/text.rs". The survivors and the log
# of each are in target/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

# Less to link, no shrinking of what failed, and the same random sequences every time.
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0
export PROPTEST_CASES=600 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_RNG_SEED=1

mkdir -p target
status=0
# shellcheck disable=SC2086
cargo mutants ${MUTANTS_ARGS:-} >&2 || status=$?
# 2: some survive. 3: a test did not end, which is as good as one that fails.
case $status in
    0 | 2 | 3) ;;
    *) exit "$status" ;;
esac
python3 - <<'PYTHON'
import json

with open("target/mutants.out/outcomes.json", encoding="utf-8") as file:
    outcomes = json.load(file)
caught, survive = outcomes["caught"] + outcomes["timeout"], outcomes["missed"]
viable = caught + survive
percent = 100 * caught / viable if viable else 100
print(f"evidence mutants: {caught} of {viable} caught ({percent:.1f} %), {survive} survive")
PYTHON
