#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the fuzz targets need. Does nothing, at once, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

version=0.13.2
if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $version" ]; then
    cargo install --locked cargo-fuzz --version "$version"
fi
