#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the builds for microcontrollers and their emulator need. Does nothing, at once, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

need_picolibc() {
    # The compiler answers with a path if it has the file, else with the bare name.
    case "$("$1-gcc" -print-file-name=picolibc.specs 2>/dev/null)" in
    */*) ;;
    *) missing+=("picolibc-$1") ;;
    esac
}

need_command arm-none-eabi-gcc gcc-arm-none-eabi
need_picolibc arm-none-eabi
need_command qemu-system-arm qemu-system-arm
need_command riscv64-unknown-elf-gcc gcc-riscv64-unknown-elf
need_picolibc riscv64-unknown-elf
need_command qemu-system-riscv32 qemu-system-misc

# Rust's core library: an installed target of rustup, or else its sources. cmake/rust-core.cmake looks in the same places.
# Debian's packages stand in for a target that is absent, so that nothing changes in the user's rustup.
absent=()
while read -r target; do
    compgen -G "$(rustc --print target-libdir --target "$target" 2>/dev/null)/libcore-*.rlib" >/dev/null || absent+=("$target")
done < <(sed -n 's/^ *RUST //p' cmake/targets.cmake)

has_sources() { [ -d "$("$1" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core" ]; }

if [ "${#absent[@]}" -gt 0 ] && ! has_sources rustc && ! has_sources /usr/bin/rustc; then
    echo "setup: Rust's core is not installed for ${absent[*]}; with 'rustup target add ${absent[*]}' the packages cargo-web, rustc-web and rust-web-src are not needed"
    missing+=(cargo-web rustc-web rust-web-src)
fi

install_missing
