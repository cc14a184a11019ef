#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# compile.sh COMPILER DIALECT [OPTION]...
# Compiles layout.c, or skips with status 77 when the compiler is not there.
set -eu

compiler=$1
dialect=$2
shift 2
here=$(dirname "$0")

case $dialect in
c++*) language=c++ ;;
*) language=c ;;
esac
if ! command -v "$compiler" >/dev/null 2>&1; then
    echo "skipped: $compiler is not installed"
    exit 77
fi
exec "$compiler" -x "$language" "-std=$dialect" -Wall -Wextra -Wpedantic -Wconversion -Werror "$@" \
    -I "$here/../../include" -fsyntax-only "$here/layout.c"
