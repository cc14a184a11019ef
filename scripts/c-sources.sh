#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Lists the C files that are written by hand. include/evagg.h is generated.
set -euo pipefail
cd "$(dirname "$0")/.."

find benches c-tests examples firmware integrations -name build -prune -o -type f \( -name '*.c' -o -name '*.h' \) -print | LC_ALL=C sort
