// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fixed-capacity store over the caller's memory: a ring of entries in the order of their admission, found
//! through chains that start at an array of heads, as many as entries or more.
//!
//! A chain runs from the oldest entry to the newest. So the entry that leaves the ring, always the oldest, is the first
//! of its chain. The entries that wait to be flushed are the older part of the ring.

pub mod hash;
pub mod sketch;
pub mod text;

use core::hint::select_unpredictable;

use hash::Hasher;
use text::{TextState, common_prefix};

use crate::event::{Event, Offer};

/// The end of a chain. Positions are at most 65,534.
pub const END: u16 = u16::MAX;

/// Where the entries lie in the ring.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct StoreState {
    oldest: u16,
    length: u16,
    /// How many of the oldest entries wait to be flushed; the others are the current window.
    waiting: u16,
    high_water: u16,
    text: TextState,
}

impl StoreState {
    pub fn length(&self) -> u16 {
        self.length
    }

    pub fn oldest(&self) -> u16 {
        self.oldest
    }

    pub fn waiting(&self) -> u16 {
        self.waiting
    }

    pub fn high_water(&self) -> u16 {
        self.high_water
    }

    /// What is in the current window now waits to be flushed.
    pub fn close(&mut self) {
        self.waiting = self.length;
    }
}

pub struct Store<'a, E> {
    pub state: &'a mut StoreState,
    pub entries: &'a mut [E],
    pub heads: &'a mut [u16],
    pub text: &'a mut [u8],
}

/// What happens to a new event when there is no room for it. Zero is a value, as a new state needs it.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OverflowPolicy {
    RejectNew,
    DiscardOldest,
}

/// What stands in the way of a new entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortage {
    Entries,
    Text,
}

#[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
impl<'a, E: Event> Store<'a, E> {
    /// The entry of the same event in the current window.
    #[inline(always)]
    pub fn find(self, wanted: &impl Offer<E>, text: &[u8], hash: u32) -> Option<&'a mut E> {
        let mut position = *self.heads.get(self.bucket(hash))?;
        // One look-up in five finds the entry second in its chain, which no branch predictor can know. A processor that
        // has one loses more time by that than by looking at the first entry twice.
        if cfg!(not(target_os = "none")) {
            let first = self.entries.get(usize::from(position))?;
            position = select_unpredictable(wanted.resembles(first), position, first.link());
        }
        loop {
            let entry = self.entries.get(usize::from(position))?;
            if wanted.is_same(entry) && self.text_is_same(entry, text) && !self.waits(position) {
                return self.entries.get_mut(usize::from(position));
            }
            position = entry.link();
        }
    }

    #[inline]
    pub fn shortage(&self, text: &[u8]) -> Option<Shortage> {
        if usize::from(self.state.length()) >= self.entries.len() {
            return Some(Shortage::Entries);
        }
        if !E::HAS_TEXT || self.state.text.has_room(self.text, text.len()) { None } else { Some(Shortage::Text) }
    }

    /// The place behind the newest entry, free if there is room for one more.
    #[inline]
    pub fn free(self) -> Option<&'a mut E> {
        let position = self.end();
        self.entries.get_mut(position)
    }

    /// Takes in the entry that was written to the free place.
    #[inline]
    pub fn push(&mut self, text: &[u8], hash: u32) {
        let bucket = self.bucket(hash);
        let position = self.end();
        let (Some(head), Some(entry)) = (self.heads.get_mut(bucket), self.entries.get_mut(position)) else { return };
        if E::HAS_TEXT {
            let start = self.state.text.push(self.text, text);
            entry.set_text(start, text.len() as u16);
        }
        entry.set_link(END);
        let (mut last, mut next) = (END, *head);
        while let Some(entry) = self.entries.get(usize::from(next)) {
            (last, next) = (next, entry.link());
        }
        match self.entries.get_mut(usize::from(last)) {
            Some(last) => last.set_link(position as u16),
            None => *head = position as u16,
        }
        self.state.length += 1;
        self.state.high_water = self.state.high_water.max(self.state.length);
    }

    /// The oldest entry and its text in two parts.
    #[inline]
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
    #[inline]
    pub fn pop(&mut self, seed: Hasher) {
        let Some(entry) = self.entries.get(usize::from(self.state.oldest)) else { return };
        let bucket = self.bucket(entry.hash(seed));
        if let Some(head) = self.heads.get_mut(bucket) {
            *head = entry.link();
        }
        if E::HAS_TEXT {
            self.state.text.pop(self.text, entry.text_length());
        }
        self.state.oldest = self.wrap(usize::from(self.state.oldest) + 1) as u16;
        self.state.length -= 1;
        self.state.waiting = self.state.waiting.saturating_sub(1);
    }

    #[inline]
    fn waits(&self, position: u16) -> bool {
        let waiting = usize::from(self.state.waiting);
        if waiting == 0 {
            return false;
        }
        let (position, oldest) = (usize::from(position), usize::from(self.state.oldest));
        let age = if position >= oldest { position - oldest } else { position + self.entries.len() - oldest };
        age < waiting
    }

    #[inline]
    fn text_is_same(&self, entry: &E, text: &[u8]) -> bool {
        !E::HAS_TEXT || common_prefix(text::parts(self.text, entry.text_start(), entry.text_length()), text)
    }

    #[inline]
    fn end(&self) -> usize {
        self.wrap(usize::from(self.state.oldest) + usize::from(self.state.length))
    }

    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        hash::place(hash, self.heads.len() as u32) as usize
    }

    #[inline]
    fn wrap(&self, position: usize) -> usize {
        if position >= self.entries.len() { position - self.entries.len() } else { position }
    }
}
