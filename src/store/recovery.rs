// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store of an image that a reset left behind: whether it can be, what it holds, and its index made anew.

use super::text::{self, TextState};
use super::{END, Store, StoreState};
use crate::event::Event;
use crate::store::hash::Hasher;

/// Where the marks belong, and how much text there is.
#[derive(Clone, Copy)]
pub struct Ring {
    first: u32,
    border: u32,
    text_used: u32,
}

/// What the entries of an image come to.
pub struct Survey {
    pub ring: Ring,
    /// Of the entries that wait to be flushed.
    pub waiting: Hits,
    /// Of the entries of the current window.
    pub current: Hits,
}

#[derive(Clone, Copy, Default)]
pub struct Hits {
    pub sum: u64,
    /// One of them stands at its maximum.
    pub is_saturated: bool,
}

/// Where to read the image from.
pub struct Reading {
    /// Where the oldest entry is, once the entry that was on its way out is.
    pub first: u32,
    /// All entries belong to the window that is closed, wherever the border is.
    pub is_closing: bool,
    /// The heads and links can be relied on.
    pub has_index: bool,
    pub text_maximum: usize,
}

#[expect(clippy::cast_possible_truncation, reason = "a ring has at most 2^28 - 1 bytes")]
impl<E: Event> Store<'_, E> {
    /// Checks the marks and every entry, and changes nothing.
    pub fn survey(&self, reading: &Reading, seed: Hasher) -> Option<Survey> {
        let Reading { first, .. } = *reading;
        let StoreState { border, end, high_water, .. } = *self.state;
        let marks = 2 * self.entries.len();
        if [self.state.first, first, border, end].into_iter().any(|mark| mark as usize >= marks)
            || (first != self.state.first && first != self.second())
        {
            return None;
        }
        let length = self.distance(first, end);
        if length as usize > self.entries.len() || usize::from(high_water) > self.entries.len() {
            return None;
        }
        let mut ring = Ring { first, border: if reading.is_closing { first } else { border }, text_used: 0 };
        // An entry of the current window that leaves takes the border along, with the second of two stores.
        if self.distance(first, ring.border) > length {
            if self.after(border) != first {
                return None;
            }
            ring.border = first;
        }
        let (mut waiting, mut current) = (Hits::default(), Hits::default());
        // More than any chain takes that fewer than 128 entries can make, and far more than those of a keyed hash: so
        // an image cannot make this long.
        let mut steps = 64 * self.entries.len();
        let mut text_start = None;
        let mut mark = first;
        let mut is_waiting = true;
        while mark != end {
            is_waiting &= mark != ring.border;
            let position = self.position(mark);
            let entry = self.entries.get(position)?;
            if !entry.is_valid() || (reading.has_index && !self.is_linked(entry, position, seed, &mut steps)) {
                return None;
            }
            if E::HAS_TEXT {
                let length = entry.text_length();
                let start = entry.text_start();
                if start as usize >= self.text.len()
                    || length > reading.text_maximum
                    || text_start.is_some_and(|expected| expected != start)
                {
                    return None;
                }
                ring.text_used += length as u32;
                if ring.text_used as usize > self.text.len() || !self.has_its_text(entry, seed) {
                    return None;
                }
                text_start = Some(text::wrap(self.text, start as usize + length) as u32);
            }
            let hits = if is_waiting { &mut waiting } else { &mut current };
            hits.sum += u64::from(entry.hit_count());
            hits.is_saturated |= entry.hit_count() == u32::MAX;
            mark = self.after(mark);
        }
        Some(Survey { ring, waiting, current })
    }

    /// Whether the entry is in the chain of its hash.
    fn is_linked(&self, entry: &E, position: usize, seed: Hasher, steps: &mut usize) -> bool {
        let Some(mut next) = self.heads.get(self.bucket(entry.hash(seed))).copied() else { return false };
        while usize::from(next) != position {
            let Some(entry) = self.entries.get(usize::from(next)) else { return false };
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            next = entry.link();
        }
        true
    }

    /// Whether the text belongs to the entry. Of one in two parts that is not known.
    fn has_its_text(&self, entry: &E, seed: Hasher) -> bool {
        let (head, tail) = text::parts(self.text, entry.text_start(), entry.text_length());
        !tail.is_empty() || entry.has_text(head, seed)
    }

    /// Makes anew what can be derived. It can be done again at any time.
    pub fn recover(&mut self, ring: &Ring, seed: Hasher) {
        self.state.high_water = self.state.high_water.max(self.length());
        self.state.text = TextState::of(ring.text_used);
        for head in self.heads.iter_mut() {
            *head = END;
        }
        // From the newest to the oldest, each in front of its chain.
        let mut mark = self.state.end;
        while mark != self.state.first {
            mark = self.before(mark);
            let position = self.position(mark);
            let Some(bucket) = self.entries.get(position).map(|entry| self.bucket(entry.hash(seed))) else { return };
            if let (Some(head), Some(entry)) = (self.heads.get_mut(bucket), self.entries.get_mut(position)) {
                entry.set_link(*head);
                *head = position as u16;
            }
        }
    }
}

impl StoreState {
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Puts the marks where they belong.
    pub fn set_ring(&mut self, ring: &Ring) {
        self.border = ring.border;
        self.first = ring.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Offer;
    use crate::event::process::{Identity, Observed, Process};
    use std::vec;
    use std::vec::Vec;

    const SEED: u64 = 7;
    const READING: Reading = Reading { first: 0, is_closing: false, has_index: true, text_maximum: 4 };

    struct Image {
        state: StoreState,
        entries: Vec<Process>,
        heads: Vec<u16>,
        text: Vec<u8>,
    }

    impl Image {
        /// As many entries as there is room for, but for one, each with a text of four bytes.
        fn new(capacity: u32, heads: usize) -> Self {
            let count = capacity as usize;
            let mut image = Self {
                state: StoreState::default(),
                entries: vec![Process::default(); count],
                heads: vec![END; heads],
                text: vec![0; 4 * count],
            };
            let seed = Hasher::new(SEED);
            for number in 1..capacity {
                let text = number.to_le_bytes();
                let hash = Process::hash_command_line(seed, &text);
                let identity = Identity { full_length: 4, hash, user_id: 0, process_id: 0, parent_process_id: 0 };
                let event = Observed { identity, now: 0 };
                event.write_to(image.store().free().unwrap());
                image.store().push(&text, event.hash(seed));
            }
            image
        }

        fn store(&mut self) -> Store<'_, Process> {
            Store { state: &mut self.state, entries: &mut self.entries, heads: &mut self.heads, text: &mut self.text }
        }

        fn survey(&mut self, reading: &Reading) -> Option<Survey> {
            self.store().survey(reading, Hasher::new(SEED))
        }
    }

    #[test]
    fn each_fault_of_an_entry_is_enough_to_refuse() {
        assert!(Image::new(4, 8).survey(&READING).is_some());
        assert!(Image::new(4, 8).survey(&Reading { text_maximum: 3, ..READING }).is_none());
        for byte in 0..12 {
            let mut image = Image::new(4, 8);
            image.text[byte] ^= 1;
            assert!(image.survey(&READING).is_none(), "byte {byte} of the text");
        }
        let heads: Vec<_> = (0..8).filter(|head| Image::new(4, 8).heads[*head] != END).collect();
        for head in heads {
            let mut image = Image::new(4, 8);
            image.heads[head] = END;
            assert!(image.survey(&READING).is_none(), "head {head}");
            assert!(image.survey(&Reading { has_index: false, ..READING }).is_some(), "head {head}");
        }
    }

    #[test]
    fn a_long_chain_is_followed() {
        assert!(Image::new(16, 1).survey(&READING).is_some());
    }

    #[test]
    fn hits_are_summed_and_a_saturated_entry_is_told() {
        let survey = Image::new(4, 8).survey(&READING).unwrap();
        assert_eq!((survey.current.sum, survey.current.is_saturated, survey.waiting.sum), (3, false, 0));
        let mut image = Image::new(4, 8);
        (0..33).for_each(|_| {
            let half = image.entries[0];
            image.entries[0].merge(&half);
        });
        image.state.border = 2;
        let survey = image.survey(&READING).unwrap();
        assert_eq!((survey.waiting.sum, survey.waiting.is_saturated), (u64::from(u32::MAX) + 1, true));
        assert_eq!((survey.current.sum, survey.current.is_saturated), (1, false));
    }
}
