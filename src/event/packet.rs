// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header walk: from a raw IP packet to its five-tuple and byte count.
//!
//! Headers must lie within the bytes at hand and within the length that the IP header states; the payload need not
//! be at hand (a packet cut by a snap length, or the first buffer of a chain).

use super::connection::{Direction, FiveTuple};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Why a packet is not recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unrecorded {
    /// A header is cut off or contradicts itself.
    Malformed,
    /// A transport protocol other than TCP, UDP, ICMP and ICMPv6.
    OtherProtocol,
}

/// The five-tuple and the bytes of IP payload: total length less header length for IPv4 (RFC 791), the payload length
/// field for IPv6 (RFC 8200: extension headers are part of the payload).
#[inline]
pub fn parse(packet: &[u8], direction: Direction) -> Result<(FiveTuple, u32), Unrecorded> {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => parse_v4(packet, direction),
        Some(6) => parse_v6(packet, direction),
        _ => Err(Unrecorded::Malformed),
    }
}

#[inline]
fn parse_v4(packet: &[u8], direction: Direction) -> Result<(FiveTuple, u32), Unrecorded> {
    let (header, _) = packet.split_first_chunk::<20>().ok_or(Unrecorded::Malformed)?;
    let header_length = usize::from(header[0] & 15) * 4;
    let total_length = usize::from(big_endian(header[2], header[3]));
    if header_length < 20 || total_length < header_length {
        return Err(Unrecorded::Malformed);
    }
    let packet = packet.get(..total_length).unwrap_or(packet);
    let payload = packet.get(header_length..).ok_or(Unrecorded::Malformed)?;
    let is_later_fragment = big_endian(header[6], header[7]) & 0x1FFF != 0;
    let ports = transport_ports(header[9], payload, is_later_fragment)?;

    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source[..4].copy_from_slice(&header[12..16]);
    destination[..4].copy_from_slice(&header[16..20]);
    #[expect(clippy::cast_possible_truncation, reason = "a 16-bit field less another")]
    let bytes = (total_length - header_length) as u32;
    Ok((five_tuple(direction, 4, header[9], ports, source, destination), bytes))
}

fn parse_v6(packet: &[u8], direction: Direction) -> Result<(FiveTuple, u32), Unrecorded> {
    let (header, rest) = packet.split_first_chunk::<40>().ok_or(Unrecorded::Malformed)?;
    let payload_length = big_endian(header[4], header[5]);
    let mut payload = rest.get(..usize::from(payload_length)).unwrap_or(rest);
    let mut next_header = header[6];
    let mut is_later_fragment = false;
    // Each extension header takes at least eight bytes of the payload, so the walk ends. Behind the header of a later
    // fragment comes data, whatever its next header says.
    while !is_later_fragment {
        let length = match next_header {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6 => {
                (extension_length(payload)? + 1) * 8
            }
            AUTHENTICATION => (extension_length(payload)? + 2) * 4,
            FRAGMENT => {
                let [_, _, high, low, ..] = *payload else { return Err(Unrecorded::Malformed) };
                is_later_fragment = big_endian(high, low) & 0xFFF8 != 0;
                8
            }
            _ => break,
        };
        next_header = *payload.first().ok_or(Unrecorded::Malformed)?;
        payload = payload.get(length..).ok_or(Unrecorded::Malformed)?;
    }
    let ports = transport_ports(next_header, payload, is_later_fragment)?;

    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source.copy_from_slice(&header[8..24]);
    destination.copy_from_slice(&header[24..40]);
    Ok((five_tuple(direction, 6, next_header, ports, source, destination), u32::from(payload_length)))
}

fn extension_length(header: &[u8]) -> Result<usize, Unrecorded> {
    header.get(1).map(|&length| usize::from(length)).ok_or(Unrecorded::Malformed)
}

/// Source and destination port; zero for ICMP and for later fragments, which hold no transport header.
#[inline]
fn transport_ports(protocol: u8, payload: &[u8], is_later_fragment: bool) -> Result<(u16, u16), Unrecorded> {
    // RFC 9293, RFC 768, RFC 792 and RFC 4443: the shortest header of each.
    let header_length = match protocol {
        TCP => 20,
        UDP | ICMP => 8,
        ICMP_V6 => 4,
        _ => return Err(Unrecorded::OtherProtocol),
    };
    if is_later_fragment {
        return Ok((0, 0));
    }
    match *payload {
        [a, b, c, d, ..] if payload.len() >= header_length => match protocol {
            TCP | UDP => Ok((big_endian(a, b), big_endian(c, d))),
            _ => Ok((0, 0)),
        },
        _ => Err(Unrecorded::Malformed),
    }
}

#[inline]
fn five_tuple(
    direction: Direction,
    ip_version: u8,
    protocol: u8,
    (source_port, destination_port): (u16, u16),
    source: [u8; 16],
    destination: [u8; 16],
) -> FiveTuple {
    match direction {
        Direction::In => FiveTuple {
            local_port: destination_port,
            remote_port: source_port,
            protocol,
            ip_version,
            local_address: destination,
            remote_address: source,
        },
        Direction::Out => FiveTuple {
            local_port: source_port,
            remote_port: destination_port,
            protocol,
            ip_version,
            local_address: source,
            remote_address: destination,
        },
    }
}

fn big_endian(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn v4(protocol: u8, options: usize, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20 + options];
        packet[0] = 0x40 | (5 + options as u8 / 4);
        let total = (packet.len() + payload.len()) as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        packet[9] = protocol;
        packet[12..16].copy_from_slice(&[10, 0, 0, 1]);
        packet[16..20].copy_from_slice(&[10, 0, 0, 2]);
        packet.extend_from_slice(payload);
        packet
    }

    fn v6(next_header: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x60;
        packet[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        packet[6] = next_header;
        packet[23] = 1;
        packet[39] = 2;
        packet.extend_from_slice(payload);
        packet
    }

    fn udp() -> Vec<u8> {
        vec![0x12, 0x34, 0x00, 0x35, 0, 8, 0, 0]
    }

    #[test]
    fn ports_follow_the_direction() {
        let (out, bytes) = parse(&v4(UDP, 0, &udp()), Direction::Out).unwrap();
        assert_eq!((out.local_port, out.remote_port, bytes), (0x1234, 53, 8));
        assert_eq!((out.local_address[3], out.remote_address[3]), (1, 2));
        let (incoming, _) = parse(&v4(UDP, 0, &udp()), Direction::In).unwrap();
        assert_eq!((incoming.local_port, incoming.remote_port), (53, 0x1234));
        assert_eq!((incoming.local_address[3], incoming.remote_address[3]), (2, 1));
    }

    #[test]
    fn options_and_extension_headers_are_walked_over() {
        let (tuple, bytes) = parse(&v4(UDP, 40, &udp()), Direction::Out).unwrap();
        assert_eq!((tuple.local_port, bytes), (0x1234, 8));
        let mut payload = vec![DESTINATION_OPTIONS, 1];
        payload.resize(16, 0);
        payload.extend([AUTHENTICATION, 0, 0, 0, 0, 0, 0, 0]);
        payload.extend([FRAGMENT, 2]);
        payload.resize(16 + 8 + 16, 0);
        payload.extend([UDP, 0, 0, 1, 0, 0, 0, 9]);
        payload.extend(udp());
        let (tuple, bytes) = parse(&v6(HOP_BY_HOP, &payload), Direction::Out).unwrap();
        assert_eq!((tuple.protocol, tuple.local_port, bytes), (UDP, 0x1234, 56));
    }

    #[test]
    fn later_fragments_have_no_ports_even_when_they_are_short() {
        let mut packet = v4(TCP, 0, &[0xFF]);
        packet[7] = 1;
        let (tuple, bytes) = parse(&packet, Direction::In).unwrap();
        assert_eq!((tuple.local_port, tuple.remote_port, tuple.protocol, bytes), (0, 0, TCP, 1));
        let (tuple, _) = parse(&v6(FRAGMENT, &[UDP, 0, 0, 8, 0, 0, 0, 1, 0xEE]), Direction::In).unwrap();
        assert_eq!((tuple.local_port, tuple.remote_port, tuple.protocol), (0, 0, UDP));
    }

    #[test]
    fn what_follows_a_later_fragment_is_data_and_not_a_header() {
        let packet = v6(FRAGMENT, &[DESTINATION_OPTIONS, 0, 0, 8, 0, 0, 0, 1, TCP, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(parse(&packet, Direction::In), Err(Unrecorded::OtherProtocol));
    }

    #[test]
    fn no_truncation_of_the_headers_is_taken_for_a_packet() {
        let mut payload = vec![TCP, 0, 0, 0, 0, 0, 0, 0];
        payload.resize(8 + 20, 7);
        for (packet, headers) in [
            (v4(UDP, 8, &udp()), 36),
            (v4(TCP, 0, &[7; 30]), 40),
            (v4(ICMP, 0, &[8; 20]), 28),
            (v6(HOP_BY_HOP, &payload), 68),
            (v6(ICMP_V6, &[128; 8]), 44),
        ] {
            for length in 0..packet.len() {
                let result = parse(&packet[..length], Direction::In);
                assert_eq!(result.is_ok(), length >= headers, "{length} of {} bytes", packet.len());
                assert!(result.is_ok() || result == Err(Unrecorded::Malformed));
            }
        }
    }

    #[test]
    fn contradictory_lengths_are_malformed() {
        let good = v4(UDP, 0, &udp());
        for (offset, value) in [(0, 0x44), (0, 0x4F), (0, 0x50), (3, 0), (3, 19), (3, 27)] {
            let mut packet = good.clone();
            packet[offset] = value;
            assert_eq!(parse(&packet, Direction::In), Err(Unrecorded::Malformed), "{offset}: {value:#x}");
        }
        let mut packet = v6(UDP, &udp());
        packet[5] = 7;
        assert_eq!(parse(&packet, Direction::In), Err(Unrecorded::Malformed));
    }

    #[test]
    fn bytes_behind_the_stated_length_are_not_read() {
        let mut packet = v4(UDP, 0, &udp());
        packet.extend([0xAA; 18]);
        assert_eq!(parse(&packet, Direction::In).unwrap().1, 8);
    }

    #[test]
    fn other_protocols_are_told_from_malformed_packets() {
        assert_eq!(parse(&v4(47, 0, &[0; 8]), Direction::In), Err(Unrecorded::OtherProtocol));
        assert_eq!(parse(&v6(59, &[]), Direction::In), Err(Unrecorded::OtherProtocol));
        assert_eq!(parse(&[], Direction::In), Err(Unrecorded::Malformed));
    }
}
