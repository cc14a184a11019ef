#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the mutation test needs. Does nothing, at once, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

version=27.1.0
if [ "$(cargo mutants --version 2>/dev/null)" != "cargo-mutants $version" ]; then
    cargo install --locked cargo-mutants --version "$version"
fi
