#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Changes the library in one place after another and sees whether a test fails.

First with the fast Rust tests, by cargo-mutants: .cargo/mutants.toml says where, and with which tests. What survives
these is tried against the C tests. MUTANTS_ARGS is handed to cargo-mutants, such as "--file src/store/text.rs". The
logs are in target/mutants.out.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "target/mutants.out"
COPY = ROOT / "target/mutants-c"
# Less to link, no shrinking of what failed, and the same random sequences every time.
ENVIRONMENT = os.environ | {
    "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "PROPTEST_CASES": "600",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    "PROPTEST_RNG_SEED": "1",
}
# Some survive; a test does not end, which is as good as one that fails.
SURVIVORS, TIMEOUT = 2, 3


def run_rust_tests():
    """What cargo-mutants found."""
    (ROOT / "target").mkdir(exist_ok=True)
    command = ["cargo", "mutants", *shlex.split(os.environ.get("MUTANTS_ARGS", ""))]
    status = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, stdout=sys.stderr, check=False).returncode
    if status not in (0, SURVIVORS, TIMEOUT):
        sys.exit(status)
    return json.loads((RESULTS / "outcomes.json").read_text(encoding="utf-8"))


def copy_tree():
    """A copy of the files to build the C tests in, again and again."""
    shutil.rmtree(COPY, ignore_errors=True)
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)
    if not run_c_tests(COPY / "c-tests.log", 600):
        sys.exit(f"mutants: the C tests fail without a change; see {COPY}/c-tests.log")


def run_c_tests(log, seconds):
    """Whether they pass."""
    commands = [
        ["cmake", "--preset", "release", "-DEVAGG_BUILD_EXAMPLES=OFF"],
        ["cmake", "--build", "--preset", "release"],
        ["ctest", "--preset", "release", "-R", r"^c\.", "--stop-on-failure", "--timeout", str(seconds)],
    ]
    with log.open("w", encoding="utf-8") as output:
        return all(
            subprocess.run(command, cwd=COPY, stdout=output, stderr=output, check=False).returncode == 0
            for command in commands
        )


def survives_c_tests(mutant, diff):
    source = COPY / mutant["file"]
    subprocess.run(["patch", "--silent", str(source), str(diff)], check=True)
    survives = run_c_tests(RESULTS / "log" / f"{diff.stem}-c.log", 60)
    shutil.copy(ROOT / mutant["file"], source)
    return survives


def main():
    found = run_rust_tests()
    missed = [outcome for outcome in found["outcomes"] if outcome["summary"] == "MissedMutant"]
    survivors = []
    if missed:
        copy_tree()
    for outcome in missed:
        mutant = outcome["scenario"]["Mutant"]
        if survives_c_tests(mutant, RESULTS / outcome["diff_path"]):
            survivors.append(mutant["name"])
    for name in survivors:
        print(f"survives: {name}")
    viable = found["caught"] + found["timeout"] + found["missed"]
    caught = viable - len(survivors)
    percent = 100 * caught / max(viable, 1)
    print(f"evidence mutants: {caught} of {viable} caught ({percent:.1f} %), {len(survivors)} survive")


main()
