#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the build, the tests and the demo need and this machine lacks. Does nothing, at once, when all is there.
set -euo pipefail

export PATH="$PATH:$HOME/.cargo/bin"
missing=()

need_command() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need_library() { pkg-config --exists "$1" 2>/dev/null || missing+=("$2"); }

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

if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: missing, by their Debian names: ${missing[*]}" >&2
        echo "setup: this system has no apt-get; install what corresponds, then run this again" >&2
        exit 1
    fi
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "setup: missing packages; as root, run: apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo -n)
    fi
    echo "setup: installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing; install Rust as https://rustup.rs says, then run this again" >&2
    exit 1
fi
if command -v rustup >/dev/null 2>&1; then
    command -v cargo-fmt >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
fi
