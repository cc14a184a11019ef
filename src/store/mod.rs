// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fixed-capacity store over the caller's memory: a ring of entries in the order of their admission, found
//! through chains that start at one head per entry of capacity.
//!
//! A new entry goes to the front of its chain, so a chain runs from the newest to the oldest and the entry that
//! leaves the ring is the last of its chain.

pub mod hash;
pub mod sketch;
pub mod text;

use hash::Hasher;
use text::{TextState, common_prefix};

use crate::event::Event;

/// The end of a chain. Positions are at most 65,534.
pub const END: u16 = u16::MAX;

/// Where the entries lie in the ring.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct StoreState {
    oldest: u16,
    length: u16,
    high_water: u16,
    text: TextState,
}

impl StoreState {
    pub fn length(&self) -> u16 {
        self.length
    }

    pub fn high_water(&self) -> u16 {
        self.high_water
    }
}

pub struct Store<'a, E> {
    pub state: &'a mut StoreState,
    pub entries: &'a mut [E],
    pub heads: &'a mut [u16],
    pub text: &'a mut [u8],
}

/// What happens to a new event when there is no room for it.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OverflowPolicy {
    #[default]
    RejectNew,
    DiscardOldest,
}

/// What stands in the way of a new entry.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shortage {
    #[default]
    Entries,
    Text,
}

#[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
impl<'a, E: Event> Store<'a, E> {
    /// The entry of the same event among all but the oldest `skipped`.
    #[inline]
    pub fn find(self, wanted: &E, text: &[u8], hash: u32, skipped: u16) -> Option<&'a mut E> {
        let mut position = *self.heads.get(self.bucket(hash))?;
        // A chain has no more links than the ring has entries; counting them ends the walk whatever the memory holds.
        for _ in 0..self.state.length {
            let entry = self.entries.get(usize::from(position))?;
            if entry.is_same(wanted) && self.text_is_same(entry, text) {
                if skipped > 0 && self.age(position) < skipped {
                    return None;
                }
                return self.entries.get_mut(usize::from(position));
            }
            position = entry.link();
        }
        None
    }

    pub fn shortage(&self, text: &[u8]) -> Option<Shortage> {
        if usize::from(self.state.length) >= self.entries.len() {
            return Some(Shortage::Entries);
        }
        if !E::HAS_TEXT || self.state.text.has_room(self.text, text.len()) { None } else { Some(Shortage::Text) }
    }

    /// Appends an entry for which there is room.
    pub fn push(&mut self, mut entry: E, text: &[u8], hash: u32) {
        if E::HAS_TEXT {
            let start = self.state.text.push(self.text, text);
            entry.set_text(start, text.len() as u16);
        }
        let bucket = self.bucket(hash);
        let position = self.wrap(usize::from(self.state.oldest) + usize::from(self.state.length));
        let Some(head) = self.heads.get_mut(bucket) else { return };
        entry.set_link(*head);
        let Some(slot) = self.entries.get_mut(position) else { return };
        *slot = entry;
        *head = position as u16;
        self.state.length += 1;
        self.state.high_water = self.state.high_water.max(self.state.length);
    }

    /// The oldest entry and its text in two parts.
    pub fn oldest(self) -> Option<(&'a E, &'a [u8], &'a [u8])> {
        if self.state.length == 0 {
            return None;
        }
        let entry = self.entries.get(usize::from(self.state.oldest))?;
        let (head, tail) = if E::HAS_TEXT {
            text::parts(self.text, entry.text_start(), entry.text_length())
        } else {
            Default::default()
        };
        Some((entry, head, tail))
    }

    /// Takes the oldest entry out.
    pub fn pop(&mut self, seed: Hasher) {
        let oldest = self.state.oldest;
        let Some(entry) = self.entries.get(usize::from(oldest)) else { return };
        let bucket = self.bucket(entry.hash(seed));
        let text_length = entry.text_length();
        if let Some(head) = self.heads.get_mut(bucket) {
            if *head == oldest {
                *head = END;
            } else {
                let mut position = *head;
                for _ in 0..self.state.length {
                    let Some(newer) = self.entries.get_mut(usize::from(position)) else { break };
                    position = newer.link();
                    if position == oldest {
                        newer.set_link(END);
                        break;
                    }
                }
            }
        }
        if E::HAS_TEXT {
            self.state.text.pop(self.text, text_length);
        }
        self.state.oldest = self.wrap(usize::from(oldest) + 1) as u16;
        self.state.length -= 1;
    }

    fn text_is_same(&self, entry: &E, text: &[u8]) -> bool {
        !E::HAS_TEXT || common_prefix(text::parts(self.text, entry.text_start(), entry.text_length()), text)
    }

    /// How many entries are older.
    fn age(&self, position: u16) -> u16 {
        let (position, oldest) = (usize::from(position), usize::from(self.state.oldest));
        (if position >= oldest { position - oldest } else { position + self.entries.len() - oldest }) as u16
    }

    /// Multiply and shift: no division, and no capacity has to be a power of two.
    fn bucket(&self, hash: u32) -> usize {
        (((hash >> 16) * self.heads.len() as u32) >> 16) as usize
    }

    fn wrap(&self, position: usize) -> usize {
        if position >= self.entries.len() { position - self.entries.len() } else { position }
    }
}
