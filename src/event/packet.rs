// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header walk: from a raw IP packet to its five-tuple and byte count.
//!
//! Headers must lie within the bytes at hand and within the length that the IP header states; the payload need not
//! be at hand (a packet cut by a snap length, or the first buffer of a chain).

use super::Time;
use super::connection::{Direction, Ends, FiveTuple, Observed};

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

/// What the IP headers say.
struct Payload<'a> {
    ends: Ends<'a>,
    protocol: u8,
    ip_version: u8,
    /// A fragment that holds no transport header.
    is_later_fragment: bool,
    /// As stated, which may be more than is at hand.
    length: u16,
    bytes: &'a [u8],
}

/// The event of a packet. Its bytes are those of the IP payload: total length less header length for IPv4 (RFC 791),
/// the payload length field for IPv6 (RFC 8200: extension headers are part of the payload).
#[inline]
pub fn parse(packet: &[u8], direction: Direction, now: Time) -> Result<Observed<'_>, Unrecorded> {
    let payload = match packet.first().map(|byte| byte >> 4) {
        Some(4) => payload_v4(packet, direction),
        Some(6) => payload_v6(packet, direction),
        _ => Err(Unrecorded::Malformed),
    }?;
    let mut ports = ports(&payload)?;
    if direction == Direction::Out {
        ports = ports.rotate_left(16);
    }
    let Payload { ends, protocol, ip_version, .. } = payload;
    let tuple = FiveTuple { ports, tag: u16::from_le_bytes([protocol, ip_version]), ends };
    Ok(Observed { tuple, direction, bytes: payload.length.into(), now })
}

#[inline]
fn payload_v4(packet: &[u8], direction: Direction) -> Result<Payload<'_>, Unrecorded> {
    let header = packet.first_chunk::<20>().ok_or(Unrecorded::Malformed)?;
    let [first, _, length_high, length_low, _, _, fragment_high, fragment_low, _, protocol, _, _, addresses @ ..] =
        header;
    let header_length = u16::from(first & 15) * 4;
    let total_length = u16::from_be_bytes([*length_high, *length_low]);
    if header_length < 20 || total_length < header_length {
        return Err(Unrecorded::Malformed);
    }
    let ([source, destination], _) = addresses.as_chunks() else { return Err(Unrecorded::Malformed) };
    let length = total_length - header_length;
    let bytes = packet.get(header_length.into()..).ok_or(Unrecorded::Malformed)?;
    Ok(Payload {
        ends: match direction {
            Direction::In => Ends::V4(destination, source),
            Direction::Out => Ends::V4(source, destination),
        },
        protocol: *protocol,
        ip_version: 4,
        is_later_fragment: u16::from_ne_bytes([*fragment_high, *fragment_low]) & 0x1FFF_u16.to_be() != 0,
        length,
        bytes: up_to(bytes, length),
    })
}

#[inline]
fn payload_v6(packet: &[u8], direction: Direction) -> Result<Payload<'_>, Unrecorded> {
    let (header, rest) = packet.split_first_chunk::<40>().ok_or(Unrecorded::Malformed)?;
    let [_, _, _, _, length_high, length_low, next_header, _, addresses @ ..] = header;
    let ([source, destination], _) = addresses.as_chunks() else { return Err(Unrecorded::Malformed) };
    let length = u16::from_be_bytes([*length_high, *length_low]);
    let mut payload = Payload {
        ends: match direction {
            Direction::In => Ends::V6(destination, source),
            Direction::Out => Ends::V6(source, destination),
        },
        protocol: *next_header,
        ip_version: 6,
        is_later_fragment: false,
        length,
        bytes: up_to(rest, length),
    };
    // Each extension header takes at least eight bytes of the payload, so the walk ends. Behind the header of a later
    // fragment comes data, whatever its next header says.
    while !payload.is_later_fragment && is_extension(payload.protocol) {
        let [next_header, length, high, low, ..] = *payload.bytes else { return Err(Unrecorded::Malformed) };
        let length = match payload.protocol {
            FRAGMENT => {
                payload.is_later_fragment = u16::from_be_bytes([high, low]) & 0xFFF8 != 0;
                8
            }
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        payload.protocol = next_header;
        payload.bytes = payload.bytes.get(length..).ok_or(Unrecorded::Malformed)?;
    }
    Ok(payload)
}

fn up_to(bytes: &[u8], length: u16) -> &[u8] {
    bytes.get(..length.into()).unwrap_or(bytes)
}

fn is_extension(next_header: u8) -> bool {
    matches!(
        next_header,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6
    )
}

/// The source port in the upper half, the destination port in the lower; zero for ICMP and for later fragments.
#[inline]
fn ports(payload: &Payload<'_>) -> Result<u32, Unrecorded> {
    // RFC 9293, RFC 768, RFC 792 and RFC 4443: the shortest header of each.
    let header_length = match payload.protocol {
        TCP => 20,
        UDP | ICMP => 8,
        ICMP_V6 => 4,
        _ => return Err(Unrecorded::OtherProtocol),
    };
    if payload.is_later_fragment {
        return Ok(0);
    }
    match payload.bytes {
        [a, b, c, d, ..] if payload.bytes.len() >= header_length => {
            let has_ports = matches!(payload.protocol, TCP | UDP);
            Ok(if has_ports { u32::from_be_bytes([*a, *b, *c, *d]) } else { 0 })
        }
        _ => Err(Unrecorded::Malformed),
    }
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

    /// The local port, the remote port, the protocol and the bytes.
    fn seen(packet: &[u8], direction: Direction) -> Result<(u16, u16, u8, u32), Unrecorded> {
        let event = parse(packet, direction, 7)?;
        let FiveTuple { ports, tag, .. } = event.tuple;
        Ok((ports as u16, (ports >> 16) as u16, tag as u8, event.bytes))
    }

    #[test]
    fn ports_addresses_and_bytes_follow_the_direction() {
        let packet = v4(UDP, 0, &udp());
        let (one, two) = (&[10, 0, 0, 1], &[10, 0, 0, 2]);
        let out = parse(&packet, Direction::Out, 7).unwrap();
        assert_eq!((out.tuple.ports, out.bytes, out.now), (0x0035_1234, 8, 7));
        assert_eq!((out.direction, out.tuple.ends), (Direction::Out, Ends::V4(one, two)));
        let incoming = parse(&packet, Direction::In, 7).unwrap();
        assert_eq!((incoming.tuple.ports, incoming.bytes), (0x1234_0035, 8));
        assert_eq!((incoming.direction, incoming.tuple.ends), (Direction::In, Ends::V4(two, one)));
        assert_eq!(incoming.tuple.tag, u16::from_le_bytes([UDP, 4]));

        let packet = v6(UDP, &udp());
        let addresses = packet[8..40].as_chunks().0;
        let (one, two) = (&addresses[0], &addresses[1]);
        let out = parse(&packet, Direction::Out, 7).unwrap();
        assert_eq!(out.tuple.ends, Ends::V6(one, two));
        let incoming = parse(&packet, Direction::In, 7).unwrap();
        assert_eq!(incoming.tuple.ends, Ends::V6(two, one));
        assert_eq!(incoming.tuple.tag, u16::from_le_bytes([UDP, 6]));
    }

    #[test]
    fn options_and_extension_headers_are_walked_over() {
        assert_eq!(seen(&v4(UDP, 40, &udp()), Direction::Out), Ok((0x1234, 53, UDP, 8)));
        let mut payload = vec![DESTINATION_OPTIONS, 1];
        payload.resize(16, 0);
        payload.extend([AUTHENTICATION, 0, 0, 0, 0, 0, 0, 0]);
        payload.extend([FRAGMENT, 4]);
        payload.resize(16 + 8 + 24, 0xFF);
        payload.extend([UDP, 0, 0, 1, 0, 0, 0, 9]);
        payload.extend(udp());
        assert_eq!(seen(&v6(HOP_BY_HOP, &payload), Direction::Out), Ok((0x1234, 53, UDP, 64)));
    }

    #[test]
    fn later_fragments_have_no_ports_even_when_they_are_short() {
        let mut packet = v4(TCP, 0, &[0xFF]);
        packet[7] = 1;
        assert_eq!(seen(&packet, Direction::In), Ok((0, 0, TCP, 1)));
        let packet = v6(FRAGMENT, &[UDP, 0, 0, 8, 0, 0, 0, 1, 0xEE]);
        assert_eq!(seen(&packet, Direction::In), Ok((0, 0, UDP, 9)));
    }

    #[test]
    fn what_follows_a_later_fragment_is_data_and_not_a_header() {
        let packet = v6(FRAGMENT, &[DESTINATION_OPTIONS, 0, 0, 8, 0, 0, 0, 1, TCP, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::OtherProtocol));
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
                let result = seen(&packet[..length], Direction::In);
                assert_eq!(result.is_ok(), length >= headers, "{length} of {} bytes", packet.len());
                assert!(result.is_ok() || result.err() == Some(Unrecorded::Malformed));
            }
        }
    }

    #[test]
    fn contradictory_lengths_are_malformed() {
        let good = v4(UDP, 0, &udp());
        for (offset, value) in [(0, 0x44), (0, 0x4F), (0, 0x50), (3, 0), (3, 19), (3, 27)] {
            let mut packet = good.clone();
            packet[offset] = value;
            assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::Malformed), "{offset}: {value:#x}");
        }
        let mut packet = v6(UDP, &udp());
        packet[5] = 7;
        assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::Malformed));
    }

    #[test]
    fn bytes_behind_the_stated_length_are_not_read() {
        let mut packet = v4(UDP, 0, &udp());
        packet.extend([0xAA; 18]);
        assert_eq!(seen(&packet, Direction::In), Ok((53, 0x1234, UDP, 8)));
    }

    #[test]
    fn other_protocols_are_told_from_malformed_packets() {
        assert_eq!(seen(&v4(47, 0, &[0; 8]), Direction::In).err(), Some(Unrecorded::OtherProtocol));
        assert_eq!(seen(&v6(59, &[]), Direction::In).err(), Some(Unrecorded::OtherProtocol));
        assert_eq!(seen(&[], Direction::In).err(), Some(Unrecorded::Malformed));
    }
}
