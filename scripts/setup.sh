#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the build, the tests and the demo need and this machine lacks. Does nothing, at once, when all is there.
set -euo pipefail

source "$(dirname "$0")/packages.sh"

need_command cmake cmake
need_command pkg-config pkg-config
need_command gcc gcc
need_command g++ g++
need_command clang clang
need_command clang-format clang-format
need_command tshark tshark
need_command ping iputils-ping
need_command python3 python3
need_library cmocka libcmocka-dev
need_library libpcap libpcap-dev
need_library libmnl libmnl-dev
need_library libcjson libcjson-dev

install_missing

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing; install Rust as https://rustup.rs says, then run this again" >&2
    exit 1
fi
if command -v rustup >/dev/null 2>&1; then
    command -v cargo-fmt >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
fi
