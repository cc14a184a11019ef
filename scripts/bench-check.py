#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Counts the instructions of each operation on this machine and compares them with benches/instructions.json.

The counts come from callgrind, so they are the same in every run. Fails when one is more than 2 % worse. With --update
the counts become the committed ones.
"""

import argparse
import json
import re
import sys

import common
from common import ROOT, Failure, run

COMMITTED = ROOT / "benches/instructions.json"
BUILD = ROOT / "build/bench"
LIBRARY = ROOT / "target/release/libevagg.a"
TOLERANCE_PERCENT = 2


def measure():
    run("cargo", "build", "--release", "--lib", "--locked", "--target-dir", "target")
    BUILD.mkdir(parents=True, exist_ok=True)
    program, profile = BUILD / "instructions", BUILD / "callgrind.out"
    run(
        "cc",
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wconversion",
        "-Werror",
        "-I",
        "include",
        "benches/instructions.c",
        LIBRARY,
        "-o",
        program,
    )
    printed = run(
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        "--toggle-collect=measure_*",
        f"--callgrind-out-file={profile}",
        program,
    )
    operations = {name: int(count) for name, count in (line.split() for line in printed.splitlines())}
    annotated = run("callgrind_annotate", "--inclusive=yes", "--threshold=100", profile)
    totals = {
        name: int(count.replace(",", ""))
        for count, name in re.findall(r"^\s*([\d,]+)\s.*:measure_(\w+)", annotated, re.MULTILINE)
    }
    missing = operations.keys() ^ totals.keys()
    if missing:
        raise Failure(f"not measured: {', '.join(sorted(missing))}")
    return {name: round(totals[name] / count, 1) for name, count in operations.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="commit to the counts measured")
    options = parser.parse_args()
    compiler = run("rustc", "--version").strip()
    counts = measure()
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {"compiler": compiler, "instructions": {}}

    worse = []
    print(f"{'instructions of a call':24} {'now':>8} {'committed':>10}")
    for name, count in counts.items():
        before = committed["instructions"].get(name)
        change = "" if before is None or count == before else f"{(count - before) / before:+8.1%}"
        print(f"{name:24} {count:8.1f} {'new' if before is None else format(before, '.1f'):>10} {change}")
        if before is None or count * 100 > before * (100 + TOLERANCE_PERCENT):
            worse.append(name)
    gone = committed["instructions"].keys() - counts.keys()
    if options.update:
        COMMITTED.write_text(json.dumps({"compiler": compiler, "instructions": counts}, indent=4) + "\n")
        return 0
    if worse or gone:
        print(
            f"more than {TOLERANCE_PERCENT} % worse, or not committed, or gone: {', '.join([*worse, *sorted(gone)])}",
            file=sys.stderr,
        )
        print("`scripts/bench-check.py --update` commits to the new counts", file=sys.stderr)
        if committed["compiler"] != compiler:
            print(
                f"the committed counts are of {committed['compiler']}, this is {compiler}: compare with the counts of "
                "an unchanged checkout",
                file=sys.stderr,
            )
        return 1
    return 0


if __name__ == "__main__":
    common.main("bench-check.py", main)
