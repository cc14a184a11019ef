#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Derives the recorded workloads of the benchmark.

    derive.py captures FILE... > captures.gz     from packet captures, with tshark: one line a packet,
                                                 protocol, local address, local port, remote address, remote port,
                                                 direction, bytes of IP payload
    derive.py exec-trace FILE > exec-trace.gz    from the output of
                                                 strace -f -qq -s 100000 -e trace=execve,clone,clone3,fork,vfork:
                                                 one line for each program that was started,
                                                 process id, parent process id, command line

Who sends the first packet between two addresses is taken to be the local one. Newlines within a command line become
spaces.
"""

import gzip
import re
import subprocess
import sys

PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
FIELDS = (
    "ip.src ipv6.src ip.dst ipv6.dst ip.proto ipv6.nxt ipv6.fraghdr.nxt tcp.srcport udp.srcport tcp.dstport udp.dstport "
    "ip.len ip.hdr_len ipv6.plen icmp.type icmpv6.type"
).split()


def packets(file):
    command = [
        "tshark",
        "-n",
        "-r",
        file,
        "-o",
        "ip.defragment:false",
        "-o",
        "ipv6.defragment:false",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
    ]
    for field in FIELDS:
        command += ["-e", field]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def captures(files):
    local_of = {}
    for file in files:
        for packet in packets(file):
            source = packet["ip.src"] or packet["ipv6.src"]
            destination = packet["ip.dst"] or packet["ipv6.dst"]
            protocol = PROTOCOLS.get(packet["ip.proto"] or packet["ipv6.fraghdr.nxt"] or packet["ipv6.nxt"])
            if not source or not protocol:
                continue
            # What an ICMP message quotes has ports, but not the message.
            quotes = packet["icmp.type"] or packet["icmpv6.type"]
            ports = (
                [0, 0]
                if quotes
                else [int(packet[f"tcp.{end}port"] or packet[f"udp.{end}port"] or 0) for end in ("src", "dst")]
            )
            if packet["ip.len"]:
                payload = int(packet["ip.len"]) - int(packet["ip.hdr_len"])
            else:
                payload = int(packet["ipv6.plen"])
            local = local_of.setdefault(frozenset((source, destination)), source)
            ends = [(source, ports[0]), (destination, ports[1])]
            direction = "out" if local == source else "in"
            if direction == "in":
                ends.reverse()
            yield f"{protocol} {ends[0][0]} {ends[0][1]} {ends[1][0]} {ends[1][1]} {direction} {payload}"


STRING = r'"(?:[^"\\]|\\.)*"'
ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f"}


def unescaped(string):
    def character(match):
        code = match.group(1)
        return chr(int(code, 8)) if code[0] in "01234567" else ESCAPES.get(code, code)

    return ESCAPE.sub(character, string)


def exec_trace(file):
    parents, unfinished = {}, {}
    for line in open(file, errors="replace"):
        process, call = line.rstrip("\n").split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            unfinished[process] = call.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
            call = unfinished.pop(process, "") + resumed.group(1)
        if started := re.match(r"(?:clone3?|v?fork)\(.*= (\d+)$", call):
            parents[started.group(1)] = process
        elif executed := re.match(rf"execve\({STRING}, \[((?:{STRING}(?:, )?)*)\].*= 0$", call):
            arguments = [unescaped(argument[1:-1]) for argument in re.findall(STRING, executed.group(1))]
            yield f"{process} {parents.get(process, 1)} " + re.sub(r"\s", " ", " ".join(arguments))


def main():
    kind, *files = sys.argv[1:] or [""]
    if kind == "captures" and files:
        lines = captures(files)
    elif kind == "exec-trace" and len(files) == 1:
        lines = exec_trace(files[0])
    else:
        sys.exit(__doc__)
    text = "".join(f"{line}\n" for line in lines)
    sys.stdout.buffer.write(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
