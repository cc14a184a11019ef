#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# What `make lint` checks. Nothing is changed; `make format` and `make header` mend.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --check
cargo clippy --all-targets --locked -- -D warnings
cargo clippy --all-targets --locked --features header -- -D warnings
cargo fmt --check --manifest-path benches/Cargo.toml
cargo clippy --manifest-path benches/Cargo.toml --target-dir target --all-targets --locked -- -D warnings
cargo fmt --check --manifest-path fuzz/Cargo.toml
cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target --all-targets --locked -- -D warnings
scripts/c-sources.sh | xargs clang-format --dry-run -Werror
cargo build --lib --locked --features header
scripts/check-version.sh
scripts/check-spdx.sh
