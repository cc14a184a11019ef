#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures evagg beside its peers and prints how they compare.

Runs the benchmarks in benches/ in several rounds. A machine that is shared is faster at one time than at another, so
ratios are taken within a round, and their median over the rounds is reported. Writes build/bench.json and the figures
in build/bench/. With --update the tables and figures of docs/performance.md become those measured.
"""

import argparse
import collections
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

import common
from common import ROOT, Failure, with_block

BUILD = ROOT / "build/bench"
RESULT = ROOT / "build/bench.json"
DOCUMENT = ROOT / "docs/performance.md"
FIGURES = ROOT / "docs/figures"
TARGET = ROOT / "target"

BUILT_IN, MASKING, NO_OP = "evagg, built-in lock", "evagg, masking callbacks", "evagg, no-op callbacks"
UTHASH, UTHASH_LOCKED = "uthash", "uthash, pthread spin lock"
HEAPLESS = "heapless FnvIndexMap"
FOLDHASH, FNV = "hashbrown, foldhash, spin lock", "hashbrown, FNV, spin lock"
STD, LINEAR, POOL = "std HashMap", "linear scan", "chained pool, XOR hash"
ARRAY = "array, no look-up"
TABLES = [BUILT_IN, MASKING, NO_OP, UTHASH, UTHASH_LOCKED, HEAPLESS, FOLDHASH, FNV, STD, LINEAR, POOL, ARRAY]
KNOWN = "known, IPv4"
WORKLOADS = [
    KNOWN,
    "known, IPv6",
    "known, IPv4 and IPv6",
    "known, Zipf",
    "known, captures",
    "known, colliding",
    "packet, IPv4",
    "packet, IPv6",
    "first",
    "rejected",
    "discarding",
    "flush",
    "merge, known",
    "process, known, 20 bytes",
    "process, known, 60 bytes",
    "process, known, 250 bytes",
    "process, first, 60 bytes",
    "process, known, exec trace",
    "process, discarding, exec trace",
    "threads",
]


def is_peer(table):
    return not table.startswith("evagg") and table != ARRAY and "IPv4 only" not in table


class Results:
    """The time of an operation in nanoseconds, for each workload, number of entries, table and round."""

    def __init__(self):
        self.times = collections.defaultdict(lambda: collections.defaultdict(list))

    def add_round(self):
        for file in (TARGET / "criterion").glob("*/*/*/new/benchmark.json"):
            names = json.loads(file.read_text())
            estimates = json.loads((file.parent / "estimates.json").read_text())
            place = names["group_id"], int(names["value_str"])
            self.times[place][names["function_id"]].append(estimates["median"]["point_estimate"])
        self.times = collections.defaultdict(
            self.times.default_factory,
            sorted(self.times.items(), key=lambda item: (WORKLOADS.index(item[0][0]), item[0][1])),
        )

    def median(self, workload, entries, table):
        times = self.times.get((workload, entries), {}).get(table)
        return statistics.median(times) if times else None

    def ratio(self, one, other):
        """The median over the rounds of the ratio of two places, each a workload, a number of entries and a table."""
        (one, one_table), (other, other_table) = (one[:2], one[2]), (other[:2], other[2])
        pairs = list(zip(self.times.get(one, {}).get(one_table, []), self.times.get(other, {}).get(other_table, [])))
        return statistics.median(a / b for a, b in pairs) if pairs else None

    def fastest_peer(self, place):
        peers = [table for table in self.times[place] if is_peer(table)]
        return min(peers, key=lambda table: self.median(*place, table), default=None)


def measure(rounds, only):
    results = Results()
    shutil.rmtree(TARGET / "criterion", ignore_errors=True)
    command = ["cargo", "bench", "--locked", "--manifest-path", ROOT / "benches/Cargo.toml", "--bench", "tables"]
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_TERM_COLOR": "never"}
    subprocess.run([*command, "--no-run"], env=environment, check=True)
    expected = 0
    for number in range(1, rounds + 1):
        begin, done, log = time.monotonic(), 0, []
        process = subprocess.Popen(
            [*command, "--", *only], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in process.stdout:
            log.append(line)
            if "time:" in line:
                done += 1
                if sys.stdout.isatty() or done % 50 == 0:
                    end = "\r" if sys.stdout.isatty() else "\n"
                    print(
                        f"round {number} of {rounds}: {done}{f' of {expected}' if expected else ''}",
                        end=end,
                        flush=True,
                    )
        if process.wait() != 0:
            sys.stderr.writelines(log[-40:])
            raise Failure("a benchmark failed")
        if done == 0:
            raise Failure("no benchmark has such a name")
        expected = done
        results.add_round()
        print(f"round {number} of {rounds}: {done} measurements in {time.monotonic() - begin:.0f} s")
    return results


def machine():
    def first_line(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            return "unknown"

    information = pathlib.Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", information.read_text(), re.MULTILINE) if information.exists() else None
    return {
        "processor": model.group(1) if model else platform.machine(),
        "processors": os.cpu_count(),
        "rustc": first_line("rustc", "--version"),
        "cc": first_line("cc", "--version"),
    }


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ordered(tables):
    return sorted(tables, key=lambda table: (TABLES.index(table) if table in TABLES else len(TABLES), table))


def print_table(results):
    for place, tables in results.times.items():
        workload, entries = place
        if workload == "threads":
            continue
        peer = results.fastest_peer(place)
        print(f"\n{workload}, {entries:,} entries")
        for table in ordered(tables):
            times = tables[table]
            ratio = results.ratio((*place, table), (*place, peer)) if peer else None
            spread = f"{number(min(times))} to {number(max(times))}"
            print(
                f"  {table:42} {number(statistics.median(times)):>9} ns  {spread:>20}"
                + (f"  {ratio:7.2f}" if ratio else "")
            )


def goals(results):
    """What the project wants to hold: a sentence, the figure, its limit, and whether the figure is to be below it."""
    known = lambda entries, table: (KNOWN, entries, table)
    below = [
        (
            "known IPv4 connection, 48 entries, built-in lock, to FnvIndexMap without a lock",
            known(48, BUILT_IN),
            known(48, HEAPLESS),
            0.5,
        ),
        ("the same, to uthash without a lock", known(48, BUILT_IN), known(48, UTHASH), 1),
        ("the same, to hashbrown with foldhash behind the same lock", known(48, BUILT_IN), known(48, FOLDHASH), 1),
        ("65,535 entries to 64, each key equally often", known(65535, BUILT_IN), known(64, BUILT_IN), 2),
        ("the same of an array without a look-up: what the memory costs", known(65535, ARRAY), known(64, ARRAY), None),
        ("65,535 entries to 64, by Zipf's law", ("known, Zipf", 65535, BUILT_IN), ("known, Zipf", 64, BUILT_IN), 2),
        ("colliding keys to random keys, 64 entries", ("known, colliding", 64, BUILT_IN), known(64, BUILT_IN), 1.5),
        (
            "colliding keys to random keys, 4,096 entries",
            ("known, colliding", 4096, BUILT_IN),
            known(4096, BUILT_IN),
            1.5,
        ),
        (
            "known process, 60 bytes, built-in lock, to uthash without a lock",
            ("process, known, 60 bytes", 32, BUILT_IN),
            ("process, known, 60 bytes", 32, UTHASH),
            1,
        ),
    ]
    above = [
        (
            "chained pool without a lock to evagg with no-op callbacks, 48 entries",
            known(48, POOL),
            known(48, NO_OP),
            1.5,
        ),
        (
            "rate of two threads with an instance each, to one thread",
            ("threads", 1, "an instance each"),
            ("threads", 2, "an instance each"),
            1.9,
        ),
    ]
    for sentence, one, other, limit in below:
        yield sentence, results.ratio(one, other), limit, True
    for sentence, one, other, limit in above:
        yield sentence, results.ratio(one, other), limit, False


def goal_lines(results):
    lines = ["| | ratio | goal | |", "|---|---:|---:|---|"]
    for sentence, ratio, limit, is_below in goals(results):
        if ratio is None:
            continue
        if limit is None:
            lines.append(f"| {sentence} | {ratio:.2f} | | |")
            continue
        is_met = ratio <= limit if is_below else ratio >= limit
        lines.append(
            f"| {sentence} | {ratio:.2f} | {'at most' if is_below else 'at least'} {limit} | {'met' if is_met else 'missed'} |"
        )
    return lines


def thread_lines(results):
    rows = [
        ("one thread", 1, "an instance each"),
        ("two threads, one instance", 2, "one instance"),
        ("two threads, an instance each, merged at the end", 2, "an instance each"),
        ("one thread, the lock alone", 1, "the lock alone"),
        ("two threads, the lock alone", 2, "the lock alone"),
    ]
    lines = ["| | million a second | ns each |", "|---|---:|---:|"]
    for name, threads, series in rows:
        median = results.median("threads", threads, series)
        if median:
            lines.append(f"| {name} | {1000 / median:.1f} | {number(median)} |")
    return lines


def known_lines(results):
    entries = sorted({count for workload, count in results.times if workload == KNOWN})
    lines = [
        "| ns per event | " + " | ".join(f"{count:,}" for count in entries) + " |",
        "|---|" + "---:|" * len(entries),
    ]
    tables = {table for (workload, _), tables in results.times.items() if workload == KNOWN for table in tables}
    for table in ordered(tables):
        medians = [results.median(KNOWN, count, table) for count in entries]
        lines.append(f"| {table} | " + " | ".join(number(median) if median else "" for median in medians) + " |")
    return lines


def operation_lines(results, wanted):
    places = [place for place in results.times if wanted(place[0])]
    tables = ordered({table for place in places for table in results.times[place] if "IPv4 only" not in table})
    lines = ["| ns | " + " | ".join(tables) + " |", "|---|" + "---:|" * len(tables)]
    for workload, entries in places:
        medians = [results.median(workload, entries, table) for table in tables]
        lines.append(
            f"| {workload}, {entries:,} | " + " | ".join(number(median) if median else "" for median in medians) + " |"
        )
    return lines


def spread_line(results):
    spreads = [
        (max(times) - min(times)) / statistics.median(times)
        for tables in results.times.values()
        for times in tables.values()
    ]
    middle, most = statistics.median(spreads), sorted(spreads)[len(spreads) * 9 // 10]
    rounds = max(len(times) for tables in results.times.values() for times in tables.values())
    about = machine()
    return [
        f"{about['processor']}, {about['processors']} processors; {about['rustc']}; {about['cc']}. {rounds} rounds; from the",
        f"fastest round to the slowest it is {middle:.0%} of the median for half of the measurements, more than {most:.0%} for a tenth.",
    ]


SVG = 'set terminal svg size 860,{height} font "sans-serif,13" background "white"\nset output "{file}"\n'
STYLES = {
    BUILT_IN: 'lw 3 lc rgb "#b2182b"',
    NO_OP: 'lw 2 dt 2 lc rgb "#b2182b"',
    UTHASH: 'lw 2 lc rgb "#1b7837"',
    HEAPLESS: 'lw 2 lc rgb "#762a83"',
    FOLDHASH: 'lw 2 lc rgb "#2166ac"',
    FNV: 'lw 2 dt 2 lc rgb "#2166ac"',
    ARRAY: 'lw 2 dt 4 lc rgb "#969696"',
    STD: 'lw 2 lc rgb "#4d4d4d"',
    LINEAR: 'lw 2 lc rgb "#bf812d"',
    POOL: 'lw 2 lc rgb "#35978f"',
    MASKING: 'lw 1 dt 3 lc rgb "#b2182b"',
    UTHASH_LOCKED: 'lw 1 dt 3 lc rgb "#1b7837"',
}


def plot(name, height, script):
    BUILD.mkdir(parents=True, exist_ok=True)
    file = BUILD / f"{name}.svg"
    subprocess.run(["gnuplot"], input=SVG.format(height=height, file=file) + script, text=True, check=True)


def draw(results):
    entries = sorted({count for workload, count in results.times if workload == KNOWN})
    if len(entries) > 1:
        blocks, lines = [], []
        for index, table in enumerate(TABLES):
            points = [(count, results.median(KNOWN, count, table)) for count in entries]
            blocks.append(f"$t{index} << EOD\n" + "".join(f"{x} {y}\n" for x, y in points if y) + "EOD\n")
            lines.append(f'$t{index} with linespoints pt 7 ps 0.5 {STYLES[table]} title "{table}"')
        plot(
            "entries",
            560,
            "".join(blocks)
            + (
                'set logscale xy\nset format x "%.0f"\nset xtics ('
                + ", ".join(f'"{count:,}" {count}' for count in entries if count != 48)
                + ")\n"
                'set xlabel "entries"\nset ylabel "ns for a known connection"\nset grid\nset yrange [2:3000]\n'
                "set key outside right\n" + "plot " + ", ".join(lines) + "\n"
            ),
        )
    if {(KNOWN, 4096), ("known, colliding", 4096)} <= results.times.keys():
        rows = "".join(
            f'"{table}" '
            + " ".join(
                str(results.median(workload, count, table))
                for count in (64, 4096)
                for workload in (KNOWN, "known, colliding")
            )
            + "\n"
            for table in TABLES
            if table in results.times["known, colliding", 4096]
        )
        plot(
            "colliding",
            560,
            f"$rows << EOD\n{rows}EOD\n"
            + (
                "set style data histogram\nset style histogram clustered gap 1\nset style fill solid\nset logscale y\n"
                'set ylabel "ns for a known connection"\nset xtics rotate by -35\nset grid ytics\nset key outside top center horizontal\nset yrange [8:30000]\n'
                'plot $rows using 2:xtic(1) lc rgb "#92c5de" title "64 random keys", "" using 3 lc rgb "#f4a582" title "64 colliding keys", '
                '"" using 4 lc rgb "#2166ac" title "4,096 random keys", "" using 5 lc rgb "#b2182b" title "4,096 colliding keys"\n'
            ),
        )
    if results.median("threads", 1, "an instance each"):
        rate = lambda threads, series: 1000 / results.median("threads", threads, series)
        one = rate(1, "an instance each")
        plot(
            "threads",
            420,
            f'$each << EOD\n1 {one}\n2 {rate(2, "an instance each")}\nEOD\n$shared << EOD\n1 {one}\n2 {rate(2, "one instance")}\nEOD\n'
            + (
                'set xlabel "threads"\nset ylabel "million events a second"\nset xtics 1,1,2\nset xrange [0.8:2.2]\nset yrange [0:*]\nset grid\nset key top left\n'
                'plot $each with linespoints pt 7 lw 3 lc rgb "#b2182b" title "an instance each, merged at the end", '
                '$shared with linespoints pt 7 lw 3 lc rgb "#2166ac" title "one instance"\n'
            ),
        )


def update(results):
    text = DOCUMENT.read_text()
    is_process = lambda workload: workload.startswith("process")
    is_other = lambda workload: workload not in (KNOWN, "threads") and not is_process(workload)
    blocks = {
        "machine": spread_line(results),
        "goals": goal_lines(results),
        "known": known_lines(results),
        "operations": operation_lines(results, is_other),
        "processes": operation_lines(results, is_process),
        "threads": thread_lines(results),
    }
    for name, lines in blocks.items():
        text = with_block(DOCUMENT, text, name, lines)
    DOCUMENT.write_text(text)
    FIGURES.mkdir(exist_ok=True)
    for figure in BUILD.glob("*.svg"):
        shutil.copy(figure, FIGURES)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="parts of names of benchmarks, as regular expressions; all without any")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--update", action="store_true", help="write docs/performance.md and its figures anew")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("one round or more")
    if options.update and options.only:
        parser.error("--update is for all benchmarks together")

    results = measure(options.rounds, options.only)
    print_table(results)
    print("\n" + "\n".join(thread_lines(results)) + "\n\n" + "\n".join(goal_lines(results)))
    RESULT.parent.mkdir(exist_ok=True)
    records = [
        {"workload": workload, "entries": entries, "table": table, "ns": times, "median": statistics.median(times)}
        for (workload, entries), tables in results.times.items()
        for table, times in tables.items()
    ]
    RESULT.write_text(
        json.dumps({"machine": machine(), "rounds": options.rounds, "measurements": records}, indent=1) + "\n"
    )
    draw(results)
    if options.update:
        update(results)


if __name__ == "__main__":
    common.main("bench.py", main)
