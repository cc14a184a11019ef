#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Replays captures with evagg-watch and compares what it reports with what tshark counts.

    replay.py conversations FILE            every conversation, its packets and its bytes, against tshark
    replay.py overflow FILE                 a default cache that is too small for kerberos.pcap
    replay.py recommendation FILE           dhcp-flood.pcap again, at the capacity that the first replay recommended
    replay.py malformed FILE                broken packets: what is counted where
    replay.py malformed-conversations FILE  broken packets: where tshark sees a conversation

Exit status 77: skipped, because tshark or the file is missing.

Where the definitions of evagg and of tshark differ, the tables below say for each file how, and the difference itself
is asserted. There are four such cases:

* Fragments. Ports stand only in the first fragment of a packet. evagg looks at each packet alone, as flow exporters
  do: a non-first fragment counts under its addresses and protocol with ports 0. tshark reassembles: it leaves out the
  first fragment and counts the last one in its place, under the ports of the packet. With reassembly off it counts
  the first fragment under its ports, as evagg does, and no other.
* Packets inside ICMP errors. tshark dissects the quoted packet, so that its display filter `udp` matches an ICMPv6
  error; its conversations leave it out, and so does evagg, for which the packet is ICMPv6.
* Routing headers. evagg records the destination address of the IPv6 header, where the packet is going now; tshark
  takes the last address of the routing header, where it will go in the end.
* Total length 0. To tshark, the mark of segmentation offload, and the frame's length counts instead; to evagg,
  malformed.
"""

import argparse
import collections
import ipaddress
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
SEEDS = (0, 1, 2, 3, 7, 42, 1000, 65537, 0x9E3779B9, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)

# packets, TCP and UDP conversations
CAPTURES = {
    "dhcp-flood.pcap": (500, 250),
    "dnp3.pcap": (214, 9),
    "dns-mixed.pcap": (89, 69),
    "ftp-ipv6.pcap": (136, 6),
    "icmp6.pcap": (49, 0),
    "ipv6-atomic-fragment.pcap": (38, 4),
    "kerberos.pcap": (229, 94),
    "modbus.pcap": (13622, 3),
    "mqtt.pcap": (19, 2),
}

# Non-first fragments, the only records with ports 0: protocol, addresses, packets, IP payload bytes.
# All are the tails of large DNS answers, each in two fragments.
FRAGMENTS = {
    "dns-mixed.pcap": {
        (UDP, "193.24.227.238", "172.217.40.76"): (1, 230),
        (UDP, "193.24.227.238", "173.194.169.104"): (1, 18),
        (UDP, "193.24.227.238", "74.125.47.136"): (1, 230),
        (UDP, "193.24.227.238", "194.247.5.6"): (1, 258),
    },
}

# Packets with a fragment header that are whole all the same (RFC 6946): both sides find their ports.
ATOMIC_FRAGMENTS = {"ipv6-atomic-fragment.pcap": 5}

# ICMP errors that quote a TCP or UDP packet.
QUOTED = {"icmp6.pcap": 13}

# packets, not IP, offered, malformed; and the records: protocol, endpoints, hits, IP payload bytes
Malformed = collections.namedtuple("Malformed", "packets packets_not_ip offered malformed records", defaults=([],))
MALFORMED = {
    "icmp-header-trunc.pcap": Malformed(2, 0, 0, 2),
    "icmp-payload-trunc.pcap": Malformed(
        4,
        0,
        4,
        0,
        [
            (ICMP, ("10.0.0.1", 0), ("74.125.225.41", 0), 2, 128),
            (ICMP, ("10.0.0.1", 0), ("192.0.43.10", 0), 2, 128),
        ],
    ),
    "ip4-trunc.pcap": Malformed(1, 0, 0, 1),
    "ip6-ext-trunc.pcap": Malformed(1, 0, 0, 1),
    "ip6-trunc.pcap": Malformed(1, 0, 0, 1),
    "ipv4-internally-truncated-header.pcap": Malformed(1, 0, 0, 1),
    "ipv4-truncated-broken-header.pcap": Malformed(1, 0, 0, 1),
    "ipv4_invalid_hdr_length.pcap": Malformed(1, 0, 0, 1),
    "ipv4_invalid_total_length_2.pcap": Malformed(1, 0, 0, 1),
    "ipv4_tcp_http_xml_tso.pcap": Malformed(1, 0, 0, 1),
    "ipv6-routing-header.pcap": Malformed(
        4,
        0,
        4,
        0,
        [
            (ICMPV6, ("2200::244:212:3fff:feae:22f7", 0), ("2200::240:2:0:0:4", 0), 1, 32),
            (ICMPV6, ("2200::244:212:3fff:feae:22f7", 0), ("2200::211:2:0:0:2", 0), 1, 48),
            (UDP, ("2200::244:212:3fff:feae:22f7", 5645), ("2200::240:2:0:0:4", 5642), 1, 32),
            (UDP, ("2200::244:212:3fff:feae:22f7", 5645), ("2200::211:2:0:0:2", 5642), 1, 48),
        ],
    ),
    "ipv6_frag6_negative_len.pcap": Malformed(1, 0, 0, 1),
    "trunc-hdr.pcap": Malformed(1, 1, 0, 0),
}

# Conversations that tshark sees and evagg does not, and the other way round.
ONLY_TSHARK = {
    "ipv4_tcp_http_xml_tso.pcap": [(TCP, ("30.7.181.121", 39556), ("199.43.68.163", 8080))],
    "ipv6-routing-header.pcap": [(UDP, ("2200::244:212:3fff:feae:22f7", 5645), ("2200::210:2:0:0:4", 5642))],
}
ONLY_EVAGG = {
    "ipv6-routing-header.pcap": [(UDP, ("2200::244:212:3fff:feae:22f7", 5645), ("2200::211:2:0:0:2", 5642))],
}


class Failure(Exception):
    pass


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def require(condition, message):
    if not condition:
        raise Failure(message)


def require_equal(what, actual, expected):
    if actual == expected:
        return
    if isinstance(actual, dict) and isinstance(expected, dict):
        lines = [
            f"  {show(key)}: {actual.get(key)}, expected {expected.get(key)}"
            for key in sorted(actual.keys() | expected.keys())
            if actual.get(key) != expected.get(key)
        ]
        raise Failure("\n".join([f"{what}: {len(lines)} differ", *lines[:20]]))
    raise Failure(f"{what}: {actual}, expected {expected}")


def show(key):
    if not isinstance(key, tuple) or len(key) != 3:
        return key
    protocol, (low, low_port), (high, high_port) = key
    return f"protocol {protocol} {ipaddress.ip_address(low)} {low_port} <-> {ipaddress.ip_address(high)} {high_port}"


def endpoint(address, port):
    return ipaddress.ip_address(address).packed, int(port)


def conversation(protocol, one, other):
    """The same for both directions; its second item is the endpoint that evagg-watch takes for the local one."""
    return (protocol, *sorted((one, other)))


Totals = collections.namedtuple("Totals", "hits bytes_in bytes_out")


# evagg-watch


class Replay:
    def __init__(self, watch, capture, *options):
        command = [watch, "--pcap", str(capture), *options, "--json"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        require(run.returncode == 0, f"{' '.join(command)}: exit status {run.returncode}\n{run.stderr}")
        for mark in ("Sanitizer", "runtime error"):
            require(mark not in run.stderr, run.stderr)
        objects = [json.loads(line) for line in run.stdout.splitlines()]
        windows = [o for o in objects if o["type"] == "window" and o["kind"] == "connections"]
        summaries = [o for o in objects if o["type"] == "summary"]
        require_equal("windows", len(windows), 1)
        require_equal("summaries", len(summaries), 1)
        self.window = windows[0]
        self.summary = summaries[0]
        self.warnings = [o for o in objects if o["type"] == "warning"]
        self.records = {}
        for record in (o for o in objects if o["type"] == "connection"):
            local = endpoint(record["local_address"], record["local_port"])
            remote = endpoint(record["remote_address"], record["remote_port"])
            key = conversation(record["protocol"], local, remote)
            require(key not in self.records, f"{show(key)} is reported twice")
            require(local <= remote, f"{show(key)}: the higher endpoint is local")
            require_equal(f"{show(key)}: IP version", record["ip_version"], 4 if len(local[0]) == 4 else 6)
            require(not record["saturated"], f"{show(key)}: saturated")
            require(
                self.window["start"] <= record["first_seen"] <= record["last_seen"] <= self.window["end"],
                f"{show(key)}: seen outside its window",
            )
            self.records[key] = Totals(record["hits"], record["bytes_in"], record["bytes_out"])
        require_equal("records in the window", self.window["records"], len(self.records))
        require_equal("kept", self.window["kept"], sum(r.hits for r in self.records.values()))
        require_equal(
            "kept + rejected + discarded",
            self.window["kept"] + self.window["rejected"] + self.window["discarded"],
            self.window["offered"] + self.window["merged"],
        )
        require_equal("offered in all", self.summary["offered"], self.window["offered"])
        require_equal(
            "offered + malformed + ignored + not IP",
            sum(self.summary[name] for name in ("offered", "malformed", "ignored", "packets_not_ip")),
            self.summary["packets"],
        )

    def of_protocols(self, *protocols):
        return {key: totals for key, totals in self.records.items() if key[0] in protocols}


# tshark


class Tshark:
    def __init__(self, capture):
        self.capture = capture
        self.program = shutil.which("tshark")
        if self.program is None:
            skip("tshark is not installed")

    def run(self, reassemble, *options):
        value = "TRUE" if reassemble else "FALSE"
        command = [self.program, "-n", "-r", str(self.capture)]
        for protocol in ("ip", "ipv6"):
            command += ["-o", f"{protocol}.defragment:{value}"]
        with tempfile.TemporaryDirectory() as empty:
            environment = dict(os.environ, LC_ALL="C", WIRESHARK_CONFIG_DIR=empty)
            run = subprocess.run(
                [*command, *options], capture_output=True, text=True, timeout=60, check=False, env=environment
            )
        require(run.returncode == 0, f"tshark: exit status {run.returncode}\n{run.stderr}")
        return run.stdout

    def conversations(self, reassemble):
        """Packets by conversation, TCP and UDP, both IP versions."""
        packets = {}
        for name, protocol in (("tcp", TCP), ("udp", UDP)):
            output = self.run(reassemble, "-q", "-z", f"conv,{name}")
            require(f"{name.upper()} Conversations" in output, f"tshark has no table of {name} conversations")
            for line in output.splitlines():
                words = line.split()
                if len(words) < 3 or words[1] != "<->":
                    continue
                one, other = (endpoint(*word.rsplit(":", 1)) for word in (words[0], words[2]))
                key = conversation(protocol, one, other)
                # tshark opens a second conversation where ports are used again; none of these captures has that.
                require(key not in packets, f"tshark lists {show(key)} twice")
                packets[key] = int(words[9])
        return packets

    FIELDS = (
        "frame.protocols", "ip.src", "ip.dst", "ip.proto", "ip.hdr_len", "ip.len", "ip.frag_offset",
        "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.fraghdr.nxt", "ipv6.fraghdr.offset",
        "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
    )  # fmt: skip

    def packets(self):
        """What tshark reads in the outermost headers of each packet, none of them reassembled."""
        options = ["-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
        for field in self.FIELDS:
            options += ["-e", field]
        for line in self.run(False, *options).splitlines():
            yield Packet(dict(zip(self.FIELDS, line.split("\t"), strict=True)))


class Packet:
    PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmpv6": ICMPV6}

    def __init__(self, fields):
        layers = fields["frame.protocols"].split(":")
        require(layers[:2] == ["eth", "ethertype"] and layers[2] in ("ip", "ipv6"), f"not IP: {':'.join(layers)}")
        ip = layers[2]
        above = [layer for layer in layers[3:] if not layer.startswith("ipv6.")]
        if ip == "ip":
            self.payload = int(fields["ip.len"]) - int(fields["ip.hdr_len"])
            offset, protocol = fields["ip.frag_offset"], fields["ip.proto"]
        else:
            self.payload = int(fields["ipv6.plen"])
            offset, protocol = fields["ipv6.fraghdr.offset"], fields["ipv6.fraghdr.nxt"]
        self.non_first = int(offset or 0) != 0
        self.atomic = ip == "ipv6" and "ipv6.fraghdr" in layers and not self.non_first
        self.quotes = above[0] in ("icmp", "icmpv6") and ("tcp" in above or "udp" in above)
        self.protocol = int(protocol) if self.non_first else self.PROTOCOLS[above[0]]
        ports = ("0", "0")
        if not self.non_first and self.protocol in (TCP, UDP):
            ports = (fields[f"{above[0]}.srcport"], fields[f"{above[0]}.dstport"])
        self.source = endpoint(fields[f"{ip}.src"], ports[0])
        self.destination = endpoint(fields[f"{ip}.dst"], ports[1])
        self.key = conversation(self.protocol, self.source, self.destination)


def totals_by_conversation(packets):
    sums = collections.defaultdict(lambda: [0, 0, 0])
    for packet in packets:
        total = sums[packet.key]
        total[0] += 1
        total[2 if packet.source == packet.key[1] else 1] += packet.payload
    return {key: Totals(*total) for key, total in sums.items()}


# the tests


def test_conversations(watch, capture):
    tshark = Tshark(capture)
    require(capture.name in CAPTURES, f"{capture.name} has no line in the table of captures")
    known_packets, known_conversations = CAPTURES[capture.name]
    packets = list(tshark.packets())
    expected = totals_by_conversation(packets)
    conversations = tshark.conversations(reassemble=False)
    reassembled = tshark.conversations(reassemble=True)
    replay = Replay(watch, capture, "--connections", "4096")

    require_equal("packets that tshark reads", len(packets), known_packets)
    require_equal("conversations that tshark counts", len(conversations), known_conversations)
    require_equal("warnings", replay.warnings, [])
    for name, value in {
        "packets": known_packets, "offered": known_packets, "rejected": 0, "discarded": 0,
        "malformed": 0, "ignored": 0, "packets_not_ip": 0, "records": len(replay.records),
    }.items():  # fmt: skip
        require_equal(f"{name} in the summary", replay.summary[name], value)

    # The set of conversations, apart from the non-first fragments of the table.
    fragments = {
        conversation(protocol, endpoint(source, 0), endpoint(destination, 0)): total
        for (protocol, source, destination), total in FRAGMENTS.get(capture.name, {}).items()
    }
    records = replay.of_protocols(TCP, UDP)
    portless = {key: total for key, total in records.items() if key[1][1] == key[2][1] == 0}
    with_ports = {key: total for key, total in records.items() if key not in portless}
    require_equal(
        "non-first fragments, packets and bytes",
        {key: (total.hits, total.bytes_in + total.bytes_out) for key, total in portless.items()},
        fragments,
    )
    require_equal("packets of each conversation", {k: t.hits for k, t in with_ports.items()}, conversations)
    require_equal("conversations with reassembly", reassembled.keys(), conversations.keys())
    require_equal("packets with reassembly", reassembled, conversations)

    # Packets in all: evagg counts the non-first fragments on top of what tshark's conversations add up to.
    transport = [packet for packet in packets if packet.protocol in (TCP, UDP)]
    non_first = [packet for packet in packets if packet.non_first]
    hits = sum(total.hits for total in records.values())
    require_equal("hits of TCP and UDP", hits, len(transport))
    require_equal("hits of TCP and UDP beyond tshark's", hits - sum(conversations.values()), len(non_first))
    require_equal("non-first fragments", len(non_first), sum(total[0] for total in fragments.values()))
    require_equal("atomic fragments", sum(p.atomic for p in packets), ATOMIC_FRAGMENTS.get(capture.name, 0))
    require_equal("packets quoted in ICMP", sum(p.quotes for p in packets), QUOTED.get(capture.name, 0))

    # IP payload bytes of each conversation, in both directions; ICMP and fragments too.
    require_equal("packets and bytes", replay.records, expected)
    print(
        f"{len(with_ports)} conversations, {hits} TCP and UDP packets, {len(non_first)} non-first fragments, "
        f"{len(packets) - len(transport)} ICMP packets"
    )


def test_overflow(watch, capture):
    packets = list(Tshark(capture).packets())
    expected = totals_by_conversation(packets)  # in the order in which they were first seen
    require_equal("distinct conversations", len(expected), 94)
    admitted = dict(list(expected.items())[:64])
    lost = len(packets) - sum(total.hits for total in admitted.values())
    for seed in SEEDS:
        replay = Replay(watch, capture, "--seed", str(seed))
        require_equal(f"seed {seed}: the 64 connections first seen, still counting", replay.records, admitted)
        require_equal(f"seed {seed}: rejected", replay.window["rejected"], lost)
        require_equal(f"seed {seed}: discarded", replay.window["discarded"], 0)
        require_equal(f"seed {seed}: warnings", len(replay.warnings), 2)
        first, totals = replay.warnings
        require_equal(f"seed {seed}: lost at the first loss", first["lost"], 1)
        require_equal(f"seed {seed}: recommended at the first loss", first["recommended_capacity"], 0)
        require("64 entries" in first["text"], first["text"])
        require_equal(f"seed {seed}: lost in the window", totals["lost"], lost)
        require(not totals["at_least"], f"seed {seed}: {totals['text']}")
        recommended = totals["recommended_capacity"]
        require(94 <= recommended <= 122, f"seed {seed}: recommended capacity {recommended}")
        require(f"{lost} events not cached; increase the cache to at least {recommended}" in totals["text"], totals["text"])
        print(f"seed {seed}: {totals['text']}")


def test_recommendation(watch, capture):
    for seed in SEEDS:
        first = Replay(watch, capture, "--seed", str(seed))
        require_equal(f"seed {seed}: records", len(first.records), 64)
        require_equal(f"seed {seed}: warnings", len(first.warnings), 2)
        recommended = first.warnings[1]["recommended_capacity"]
        require(250 <= recommended <= 325, f"seed {seed}: recommended capacity {recommended}")
        second = Replay(watch, capture, "--seed", str(seed), "--connections", str(recommended))
        require_equal(f"seed {seed}: warnings of the second replay", second.warnings, [])
        require_equal(f"seed {seed}: rejected", second.window["rejected"], 0)
        require_equal(f"seed {seed}: discarded", second.window["discarded"], 0)
        require_equal(f"seed {seed}: records of the second replay", len(second.records), 250)
        require_equal(f"seed {seed}: kept", second.window["kept"], 500)
        print(f"seed {seed}: 64 of 250 kept, then all of them at {recommended}")


def test_malformed(watch, capture):
    require(capture.name in MALFORMED, f"{capture.name} has no line in the table of malformed files")
    expected = MALFORMED[capture.name]
    replay = Replay(watch, capture)
    for name in ("packets", "packets_not_ip", "offered", "malformed"):
        require_equal(name, replay.summary[name], getattr(expected, name))
    require_equal("ignored", replay.summary["ignored"], 0)
    require_equal(
        "records",
        {key: (total.hits, total.bytes_in + total.bytes_out) for key, total in replay.records.items()},
        {
            conversation(protocol, endpoint(*one), endpoint(*other)): (hits, payload)
            for protocol, one, other, hits, payload in expected.records
        },
    )


def test_malformed_conversations(watch, capture):
    def listed(table):
        return {conversation(p, endpoint(*a), endpoint(*b)) for p, a, b in table.get(capture.name, [])}

    tshark = set(Tshark(capture).conversations(reassemble=False))
    evagg = set(Replay(watch, capture).of_protocols(TCP, UDP))
    require_equal("conversations of tshark only", tshark - evagg, listed(ONLY_TSHARK))
    require_equal("conversations of evagg only", evagg - tshark, listed(ONLY_EVAGG))


TESTS = {
    "conversations": test_conversations,
    "overflow": test_overflow,
    "recommendation": test_recommendation,
    "malformed": test_malformed,
    "malformed-conversations": test_malformed_conversations,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", choices=TESTS)
    parser.add_argument("capture", type=pathlib.Path)
    parser.add_argument("--watch", required=True, help="the evagg-watch to test")
    arguments = parser.parse_args()
    if not arguments.capture.is_file():
        skip(f"{arguments.capture} is missing")
    try:
        TESTS[arguments.test](arguments.watch, arguments.capture)
    except Failure as failure:
        sys.exit(f"{arguments.capture.name}: {failure}")


if __name__ == "__main__":
    main()
