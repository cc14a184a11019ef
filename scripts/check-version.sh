#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Cargo.toml states the version. The header and the changelog must agree with it; CMake must not state one.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)

macro() { sed -n "s/^#define EVAGG_VERSION_$1 \([0-9]*\).*/\1/p" include/evagg.h; }
header="$(macro MAJOR).$(macro MINOR).$(macro PATCH)"
changelog=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)

failed=0
if [ "$header" != "$version" ]; then
    echo "include/evagg.h says $header, Cargo.toml says $version; run: make header" >&2
    failed=1
fi
if [ "$changelog" != "$version" ]; then
    echo "CHANGELOG.md begins with ${changelog:-no version}, Cargo.toml says $version" >&2
    failed=1
fi
if grep -nE 'project\(.*VERSION +"?[0-9]' CMakeLists.txt >&2; then
    echo "CMakeLists.txt states a version; it must read the one of Cargo.toml" >&2
    failed=1
fi
exit "$failed"
