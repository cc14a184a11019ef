#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures the library on the firmware targets and holds it to firmware/budgets.json.

Prints a table with the differences to the committed figures, firmware/sizes.json, and writes build/size.json. With
--update the measured figures become the committed ones, and the README's table is written anew. Fails when a budget
is exceeded, a figure is missing, or the README's table is not that of the committed figures.
"""
import argparse
import json
import pathlib
import re
import sys

import common
from common import ROOT, run, with_block

BUDGETS = ROOT / "firmware/budgets.json"
COMMITTED = ROOT / "firmware/sizes.json"
README = ROOT / "README.md"
GUIDE = ROOT / "docs/azure-rtos.md"
TARGETS = re.search(r"^set\(evagg_targets (.*)\)", (ROOT / "cmake/targets.cmake").read_text(), re.MULTILINE).group(1).split()

# The committed figures and their rows of the table.
TITLES = {
    "flash_connections": "flash, connections (bytes)",
    "flash_processes": "flash, processes",
    "flash_both": "flash, both",
    "ram_connections_64": "RAM, 64 connections",
    "ram_processes_32": "RAM, 32 processes with 4,096 bytes of text",
    "flash_azure_rtos": "flash, collector of the Azure RTOS micro agent",
    "ram_azure_rtos": "RAM, the same",
    "ram_static": "RAM beside the caller's storage",
    "stack_max": "stack, deepest call",
    "instructions.record_hit_ipv4": "record, known connection (instructions)",
    "instructions.record_packet_hit_ipv4": "record_packet, known connection, IPv4",
    "instructions.record_packet_hit_ipv6": "record_packet, known connection, IPv6",
    "instructions.record_packet_hit_colliding_63": "record_packet, 63 ports that collide in an unkeyed hash",
    "instructions.netxduo_received_hit_ipv4": "packet received by NetX Duo, known connection, IPv4",
    "instructions.netxduo_received_hit_ipv6": "packet received by NetX Duo, known connection, IPv6",
    "instructions.netxduo_sent_hit_ipv4": "packet sent by NetX Duo, known connection, IPv4",
    "instructions.netxduo_sent_hit_ipv6": "packet sent by NetX Duo, known connection, IPv6",
    "instructions.flush_per_record": "flush, each record",
    "instructions.lock_hold_flush_64": "longest lock hold of flush, 64 entries",
    "instructions.lock_hold_flush_4096": "longest lock hold of flush, 4,096 entries",
    "instructions.lock_hold_merge_64": "longest lock hold of merge, 64 entries",
    "instructions.lock_hold_merge_4096": "longest lock hold of merge, 4,096 entries",
    "panic_symbols": "symbols of panics",
    "fmt_symbols": "symbols of core::fmt",
    "alloc_symbols": "symbols of an allocator",
}

AZURE_RTOS_PARTS = ("evagg_micro_agent.c", "evagg_netxduo.c", "evagg_threadx.c", "libevagg.a")

# In the demangled names of a linked firmware.
PROOFS = {
    "panic_symbols": re.compile(r"panic|unwind|unwrap_failed|expect_failed", re.IGNORECASE),
    "fmt_symbols": re.compile(r"\bcore::fmt|\bfmt::|Formatter|\bDisplay\b"),
    "alloc_symbols": re.compile(r"\balloc::|__rust_|__rdl_|\b_*(malloc|calloc|realloc|free|sbrk)(_r)?$"),
}


class Build:
    """The programs of firmware/size in a build directory."""

    def __init__(self, target, directory):
        cache = directory / "CMakeCache.txt"
        if not cache.exists():
            run("cmake", "--preset", target)
        run("cmake", "--build", directory, "--target", "evagg_size", "--parallel")
        self.directory = directory / "firmware/size"
        (self.archive,) = directory.glob("cargo/*/firmware/libevagg.a")
        self.nm = re.search(r"^CMAKE_NM:FILEPATH=(.*)$", cache.read_text(), re.MULTILINE).group(1)
        self.size = re.sub("nm$", "size", self.nm)

    def program(self, name):
        return self.directory / f"size_{name}.elf"

    def weigh(self, name):
        """Bytes of flash and of RAM beyond those of the twin whose calls lead nowhere."""
        weights = []
        for program in (name, f"{name}_empty"):
            text, data, bss = map(int, run(self.size, self.program(program)).splitlines()[1].split()[:3])
            weights.append((text + data, data + bss))
        (flash, ram), (empty_flash, empty_ram) = weights
        return flash - empty_flash, ram - empty_ram

    def parts(self, name):
        """The flash and RAM of a program by the source file, or the library, that they come from; alignment is not in."""
        parts = {}
        memory_map = self.program(name).with_suffix(".elf.map").read_text().partition("Linker script and memory map")[2]
        # What the linker has left out has the address 0, and the first section of all is the vector table.
        for section, address, size, path in re.findall(r"^ (\.\S+)\s+0x(\w+)\s+0x(\w+) (\S+)$", memory_map, re.MULTILINE):
            kind = section.split(".")[1]
            if int(address, 16) == 0 or kind not in ("text", "rodata", "data", "bss"):
                continue
            part = "libevagg.a" if "libevagg.a(evagg-" in path else pathlib.Path(path).name.removesuffix(".obj")
            flash, ram = parts.get(part, (0, 0))
            parts[part] = (
                flash + (int(size, 16) if kind != "bss" else 0),
                ram + (int(size, 16) if kind in ("data", "bss") else 0),
            )
        return parts

    def symbols(self, name):
        """The demangled symbols of a program with their sizes, 0 for those that have none."""
        symbols = {}
        for line in run(self.nm, "--demangle", "--print-size", self.program(name)).splitlines():
            address, size, symbol = re.fullmatch(r"(\S+) (?:(\S{8,}) )?\S (.*)", line.strip()).groups()
            symbols[symbol] = int(size, 16) if size else 0
        return symbols

    def own_symbols(self):
        """The demangled names of what evagg's own members of the archive define; firmware/symbols.ini tells of others."""
        own, member = set(), ""
        for line in run(self.nm, "--demangle", self.archive).splitlines():
            if line.endswith(".o:"):
                member = line
            elif member.startswith("evagg-") and line[9:10] != "U":
                own.add(line[11:])
        return own

    def printed(self, name):
        """What a program printed: a name and a number in each line."""
        lines = (self.directory / f"{name}.txt").read_text().splitlines()
        return {name: int(number) for name, number in (line.split() for line in lines)}


def measure(target, directory):
    build = Build(target, directory)
    figures = {}
    linked = {name: build.symbols(name) for name in ("connections", "processes", "both")}
    ram = {}
    for name in linked:
        figures[f"flash_{name}"], ram[name] = build.weigh(name)
    figures["flash_azure_rtos"], figures["ram_azure_rtos"] = build.weigh("azure_rtos")
    parts = build.parts("azure_rtos")
    figures["azure_rtos_parts"] = {name: parts[name] for name in AZURE_RTOS_PARTS}
    figures["ram_connections_64"] = linked["connections"]["size_connections_storage"]
    figures["ram_processes_32"] = linked["processes"]["size_processes_storage"]
    figures["ram_static"] = max(ram.values())
    stack = build.printed("stack")
    figures["stack_max"] = max(stack.values())
    figures["stack_max_function"] = max(stack, key=stack.get)
    figures["stack"] = stack
    figures["instructions"] = build.printed("instructions") | build.printed("lock_holds") | build.printed("hooks")
    for proof, pattern in PROOFS.items():
        figures[proof] = sum(1 for symbol in linked["both"] if pattern.search(symbol))
    others = build.symbols("both_empty").keys() | build.own_symbols()
    figures["support"] = {name: size for name, size in linked["both"].items() if size and name not in others}
    return figures, [f"{target}: {failure}" for failure in unneeded_code(figures, linked)]


def unneeded_code(figures, linked):
    """What shows that a firmware carries the code of an event kind that it does not use."""
    for name, other in (("connections", "processes"), ("processes", "connections")):
        for symbol in linked[name]:
            if symbol.startswith(f"evagg_{other}"):
                yield f"a firmware with only {name} contains {symbol}"
    if figures["flash_both"] > figures["flash_connections"] + figures["flash_processes"]:
        yield "both kinds of event together take more flash than each for itself"


def figure(figures, key):
    for part in key.split("."):
        figures = figures.get(part, {})
    return figures if isinstance(figures, int) else None


def limits(target, budgets):
    return budgets["every target"] | budgets.get(target, {})


def exceeded(target, figures, budgets):
    for key in TITLES:
        if figure(figures, key) is None:
            yield f"{target}: {key} was not measured"
    for key, limit in limits(target, budgets).items():
        value = figure(figures, key)
        if value is None:
            continue
        if isinstance(limit, int):
            limit = {"at_most": limit}
        if "of" in limit:
            other = figure(figures, limit["of"])
            if other is not None and abs(value - other) * 100 > limit["within_percent"] * other:
                yield f"{target}: {key} is {value}, not within {limit['within_percent']} % of {limit['of']}, {other}"
        elif value > limit["at_most"]:
            yield f"{target}: {key} is {value}, {value - limit['at_most']} over the limit of {limit['at_most']}"


def missed_goals(target, figures, budgets):
    """The goals beside which a limit stands, because they are not reached."""
    for key, limit in limits(target, budgets).items():
        goal = limit.get("goal") if isinstance(limit, dict) else None
        if goal is not None and figure(figures, key) > goal:
            value = figure(figures, key)
            yield f"{target}: {key} is {value}, {(value - goal) / goal:.0%} over its goal of {goal}"


def budget_text(limit):
    if limit is None:
        return ""
    if isinstance(limit, int):
        return f"{limit}"
    return f"±{limit['within_percent']} %" if "of" in limit else f"{limit['at_most']}, goal {limit['goal']}"


def with_difference(value, committed):
    if value is None:
        return "-"
    if committed is None:
        return f"{value} (new)"
    return f"{value}" if value == committed else f"{value} ({value - committed:+})"


def print_table(measured, committed, budgets):
    rows = [["", "budget M4F", *measured]]
    for key in TITLES:
        cells = [
            with_difference(figure(figures, key), committed.get(target, {}).get(key))
            for target, figures in measured.items()
        ]
        rows.append([key.removeprefix("instructions."), budget_text(limits("cortex-m4f", budgets).get(key)), *cells])
    rows.append(["deepest call", "", *(f["stack_max_function"].removeprefix("evagg_") for f in measured.values())])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *cells in rows:
        print("  ".join([name.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells, widths[1:])]))
    for target, figures in measured.items():
        support = figures["support"]
        names = ", ".join(f"{name} {size}" for name, size in sorted(support.items(), key=lambda item: -item[1]))
        parts = ", ".join(f"{name} {flash} and {ram}" for name, (flash, ram) in figures["azure_rtos_parts"].items())
        print(f"{target}: flash and RAM of the parts of azure_rtos: {parts}")
        print(f"{target}: of flash_both, {sum(support.values())} bytes are not evagg's own: {names}")


def unsaid(numbers):
    """Which of them docs/azure-rtos.md, which speaks of Cortex-M4, does not say."""
    guide = GUIDE.read_text()
    for number in numbers:
        if not re.search(rf"(?<![\d,]){number:,}(?![\d,]*\d)", guide):
            yield f"{GUIDE.name} does not say {number:,}, a figure of the collector for the micro agent"


def readme_table(committed):
    lines = ["| | " + " | ".join(committed) + " |", "|---|" + "---:|" * len(committed)]
    for key, title in TITLES.items():
        lines.append(f"| {title} | " + " | ".join(f"{figures[key]:,}" for figures in committed.values()) + " |")
    return "\n".join(lines)


def with_table(readme, table):
    return with_block(README, readme, "sizes", [table])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all without any")
    parser.add_argument("--build", type=pathlib.Path, metavar="DIR", help="the one target's build directory")
    parser.add_argument("--update", action="store_true", help="commit to the figures measured")
    options = parser.parse_args()
    targets = options.targets or TARGETS
    for target in targets:
        if target not in TARGETS:
            parser.error(f"unknown target {target}; it is one of {', '.join(TARGETS)}")
    if options.build and len(targets) != 1:
        parser.error("--build is for one target")

    budgets = json.loads(BUDGETS.read_text())
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    measured = {}
    failures = []
    for target in targets:
        measured[target], faults = measure(target, options.build or ROOT / "build" / target)
        failures += faults + list(exceeded(target, measured[target], budgets))

    print_table(measured, committed, budgets)
    for target in targets:
        for goal in missed_goals(target, measured[target], budgets):
            print(goal)
    result = options.build / "size.json" if options.build else ROOT / "build/size.json"
    earlier = json.loads(result.read_text()) if result.exists() else {}
    result.write_text(json.dumps(earlier | measured, indent=4) + "\n")

    if options.update:
        flat = {target: {key: figure(figures, key) for key in TITLES} for target, figures in measured.items()}
        merged = committed | flat
        committed = {target: merged[target] for target in TARGETS if target in merged}
        COMMITTED.write_text(json.dumps(committed, indent=4) + "\n")
        README.write_text(with_table(README.read_text(), readme_table(committed)))
    else:
        for target in targets:
            missing = [key for key in TITLES if committed.get(target, {}).get(key) is None]
            if missing:
                failures.append(f"{target}: {COMMITTED.name} lacks {', '.join(missing)}; `scripts/size.py --update` writes them")
        if not failures and with_table(README.read_text(), readme_table(committed)) != README.read_text():
            failures.append("the README's table is not that of firmware/sizes.json; `scripts/size.py --update` writes it")
    if "cortex-m4f" in targets:
        figures = committed.get("cortex-m4f", {})
        failures += unsaid(figures[key] for key in TITLES if ("azure_rtos" in key or "netxduo" in key) and key in figures)
        if options.update:
            failures += unsaid(flash for flash, _ in measured["cortex-m4f"]["azure_rtos_parts"].values())
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    common.main("size.py", main)
