// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ring of bytes that the texts of all entries share. Texts come and go in the order of the entries.

/// How much of the ring the texts take. Where each starts is in its entry.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct TextState {
    used: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "a ring has at most 2^28 - 1 bytes")]
impl TextState {
    pub fn of(used: u32) -> Self {
        Self { used }
    }

    pub fn has_room(self, ring: &[u8], length: usize) -> bool {
        length <= ring.len().saturating_sub(self.used as usize)
    }

    /// Copies a text for which there is room to where it starts.
    pub fn push(&mut self, ring: &mut [u8], start: usize, text: &[u8]) {
        let (front, back) = ring.split_at_mut_checked(start).unwrap_or_default();
        let (head, tail) = text.split_at_checked(back.len()).unwrap_or((text, &[]));
        copy(back, head);
        copy(front, tail);
        self.used += text.len() as u32;
    }

    /// Takes the oldest text out.
    pub fn pop(&mut self, length: usize) {
        self.used = self.used.saturating_sub(length as u32);
    }
}

/// A text in its two parts: up to the end of the ring, and on from its beginning.
pub fn parts(ring: &[u8], start: u32, length: usize) -> (&[u8], &[u8]) {
    let rest = ring.get(start as usize..).unwrap_or_default();
    match rest.get(..length) {
        Some(whole) => (whole, &[]),
        None => (rest, ring.get(..length - rest.len()).unwrap_or_default()),
    }
}

/// Whether one of two texts, the first in two parts, begins with the other.
pub fn common_prefix(parts: (&[u8], &[u8]), other: &[u8]) -> bool {
    match other.split_at_checked(parts.0.len()) {
        Some((first, second)) => is_same(parts.0, first) && is_same(parts.1, second),
        None => is_same(parts.0, other),
    }
}

/// Whether two texts are the same up to the end of the shorter one, a word at a time.
// Both parts share it.
#[cfg_attr(target_os = "none", inline(never))]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let length = one.len().min(other.len());
    let (Some(one), Some(other)) = (one.get(..length), other.get(..length)) else { return false };
    let (Some(one_end), Some(other_end)) = (one.last_chunk(), other.last_chunk()) else {
        return one.iter().zip(other).all(|(one, other)| one == other);
    };
    // The last word takes in what is left over, and some bytes once more.
    usize::from_ne_bytes(*one_end) == usize::from_ne_bytes(*other_end)
        && (one.as_chunks().0.iter().zip(other.as_chunks().0))
            .all(|(one, other)| usize::from_ne_bytes(*one) == usize::from_ne_bytes(*other))
}

// Both parts share it.
#[cfg_attr(target_os = "none", inline(never))]
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// A position in the ring, which may lie up to its length behind its end.
pub fn wrap(ring: &[u8], position: usize) -> usize {
    if position >= ring.len() { position - ring.len() } else { position }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    #[test]
    fn texts_come_back_whole_wherever_the_ring_wraps() {
        let mut state = TextState::default();
        let mut ring = [0; 17];
        let mut kept: VecDeque<(u32, Vec<u8>)> = VecDeque::new();
        let mut start = 0;
        for round in 0..1000_usize {
            let text: Vec<u8> = (0..round % 12).map(|i| (round + i) as u8).collect();
            while !state.has_room(&ring, text.len()) {
                let (_, oldest) = kept.pop_front().expect("an empty ring has room for eleven bytes");
                state.pop(oldest.len());
            }
            state.push(&mut ring, start, &text);
            kept.push_back((start as u32, text.clone()));
            start = wrap(&ring, start + text.len());
            for (start, text) in &kept {
                let (head, tail) = parts(&ring, *start, text.len());
                assert_eq!(&[head, tail].concat(), text);
                assert!(common_prefix((head, tail), text));
            }
        }
    }

    #[test]
    fn a_full_ring_has_room_for_nothing_but_the_empty_text() {
        let mut state = TextState::default();
        let mut ring = [0; 4];
        state.push(&mut ring, 0, b"abcd");
        assert!(!state.has_room(&ring, 1) && state.has_room(&ring, 0));
    }

    #[test]
    fn a_text_differs_at_each_of_its_bytes_in_either_part() {
        let text: Vec<u8> = (0..40).collect();
        for split in 0..=text.len() {
            let parts = text.split_at(split);
            assert!(common_prefix(parts, &text));
            for wrong in 0..text.len() {
                let mut other = text.clone();
                other[wrong] ^= 0x80;
                assert!(!common_prefix(parts, &other), "split at {split}, wrong at {wrong}");
                assert!(common_prefix(parts, &other[..wrong]), "split at {split}, {wrong} bytes");
                let longer = [&text[..], &[wrong as u8]].concat();
                assert!(common_prefix(parts, &longer));
            }
        }
    }
}
