# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the scripts that measure have in common."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Failure(Exception):
    """A sentence for the user."""


def run(*command):
    """What a command printed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, done.stderr, file=sys.stderr)
        raise Failure(f"`{' '.join(map(str, command))}` failed")
    return done.stdout


def with_block(file, text, name, lines):
    """The text of a Markdown file with other lines between the marks of that name."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    before, began, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (began and ended):
        raise Failure(f"{file.name} has no lines `{begin.strip()}` and `{end}`")
    return before + begin + "\n".join(lines) + "\n" + end + after


def main(name, call):
    """Runs a script's main function; a failure is one line."""
    try:
        sys.exit(call())
    except Failure as failure:
        sys.exit(f"{name}: {failure}")
