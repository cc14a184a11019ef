#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Checks which symbols of libevagg.a a linker sees, against firmware/symbols.ini.

usage: symbols.py <readelf> <target> <archive>...

Fails with a line for each symbol that evagg's own members export or need and the list does not have, for each that the
list says is exported and is not, and for each of the toolchain's that could get in the way of a firmware's own.
"""
import configparser
import pathlib
import re
import subprocess
import sys

# Cargo names a member after the crate that it is of.
OWN = "evagg-"

LIST = pathlib.Path(__file__).resolve().parent.parent / "firmware/symbols.ini"


def allowed(target):
    """The names to export and those that may be needed."""
    parser = configparser.ConfigParser(allow_no_value=True, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(LIST.read_text())
    section = f"needed {target}"
    return set(parser["exported"]), set(parser[section]) if section in parser else set()


def seen(readelf, archive):
    """The global symbols of an archive: what evagg's own members export and need, and what is wrong with the others'."""
    exported, needed, faults = set(), set(), set()
    member = ""
    for line in subprocess.check_output([readelf, "--wide", "--syms", archive], text=True).splitlines():
        if line.startswith("File: "):
            member = re.search(r"\((.*)\)$", line).group(1)
        columns = line.split()
        if len(columns) < 8 or columns[4] not in ("GLOBAL", "WEAK"):
            continue
        binding, visibility, section, name = columns[4:8]
        if member.startswith(OWN):
            (needed if section == "UND" else exported).add(name)
        elif section != "UND" and visibility != "HIDDEN":
            faults.add(f"of the toolchain, but not hidden: {name} in {member}")
        elif section != "UND" and binding != "WEAK" and not name.startswith("_"):
            faults.add(f"of the toolchain, but neither weak nor reserved: {name} in {member}")
    return exported, needed - exported, faults


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    readelf, target, *archives = sys.argv[1:]
    may_export, may_need = allowed(target)
    exported, faults = set(), []
    for archive in archives:
        exports, needs, others = seen(readelf, archive)
        exported |= exports
        faults += [f"exported, but not in the list: {name}" for name in sorted(exports - may_export)]
        faults += [f"needed, but not in the list: {name}" for name in sorted(needs - may_need)]
        faults += sorted(others)
    faults += [f"in the list, but not exported: {name}" for name in sorted(may_export - exported)]
    for fault in faults:
        print(f"{target}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
