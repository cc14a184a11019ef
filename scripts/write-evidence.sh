#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# write-evidence.sh <file>: puts the lines that check-long.sh has kept there into docs/reliability.md, and those of the
# promises that matter most to a user into the README.
set -euo pipefail
evidence=$(realpath "$1")
cd "$(dirname "$0")/.."

# between <document> <expression>: the lines that match, in place of what stands between the document's marks.
between() {
    local new
    new=$(mktemp)
    {
        sed '/<!-- evidence:begin -->/q' "$1"
        printf '%s\n' '```text'
        sed -n 's/^evidence //p' "$evidence" | grep -E "$2"
        printf '%s\n' '```'
        sed -n '/<!-- evidence:end -->/,$p' "$1"
    } >"$new"
    cat "$new" >"$1"
    rm "$new"
}

between docs/reliability.md .
between README.md '^(model|small scope|built-in lock|pages of|busy|warm reset|damaged images|Address|Thread|fuzz)'
