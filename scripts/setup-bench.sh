#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs what the benchmarks need. Does nothing, at once, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

need_command valgrind valgrind
need_command gnuplot gnuplot-nox
echo '#include <uthash.h>' | cc -E -o /dev/null - 2>/dev/null || missing+=(uthash-dev)

install_missing
