#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Every source file names its licence within its first five lines. The parts that end up in include/evagg.h need not.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
while IFS= read -r file; do
    if ! head -n 5 "$file" | grep -q 'SPDX-License-Identifier: MIT OR Apache-2.0'; then
        echo "$file: no SPDX-License-Identifier in its first five lines" >&2
        failed=1
    fi
done < <(find . \( -path ./build -o -path ./target -o -path ./.git -o -path './cbindgen/*.h' \) -prune -o -type f \
    \( -name '*.rs' -o -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' \
    -o -name CMakeLists.txt -o -name Makefile -o -name cbindgen.toml -o -path './.ci/*' \) -print)
exit "$failed"
