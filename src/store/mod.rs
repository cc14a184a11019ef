// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fixed-capacity store over the caller's memory: a ring of entries in the order of their admission, found
//! through chains that start at an array of heads, as many as entries or more.
//!
//! A chain runs from the oldest entry to the newest. So the entry that leaves the ring, always the oldest, is the first
//! of its chain. The entries that wait to be flushed are the older part of the ring.
//!
//! An entry joins or leaves by one store, to `end` or `first`: a reset finds it in or out. Everything else here but the
//! texts can be made again from the entries.

pub mod hash;
pub mod recovery;
pub mod sketch;
pub mod text;

use core::hint::select_unpredictable;
use core::sync::atomic::{Ordering, compiler_fence};

use hash::Hasher;
use text::{TextState, common_prefix};

use crate::event::{Event, Offer};

/// The end of a chain. Positions are at most 65,534.
pub const END: u16 = u16::MAX;

/// Where the entries lie in the ring. The three marks run from 0 to twice the capacity and on from 0, so that a full ring
/// is not taken for an empty one.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct StoreState {
    /// The oldest entry.
    first: u32,
    /// The oldest entry of the current window; those before it wait to be flushed.
    border: u32,
    /// Behind the newest entry.
    end: u32,
    high_water: u16,
    text: TextState,
}

impl StoreState {
    pub fn high_water(&self) -> u16 {
        self.high_water
    }

    /// What is in the current window now waits to be flushed.
    pub fn close(&mut self) {
        self.border = self.end;
    }
}

/// Keeps the stores before it before those behind it, as a reset would find them.
#[inline(always)]
pub fn settle() {
    compiler_fence(Ordering::SeqCst);
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
    pub fn length(&self) -> u16 {
        self.distance(self.state.first, self.state.end) as u16
    }

    /// How many of the oldest entries wait to be flushed; the others are the current window.
    #[inline]
    pub fn waiting(&self) -> u16 {
        self.distance(self.state.first, self.state.border) as u16
    }

    #[inline]
    pub fn recent(&self) -> u16 {
        self.distance(self.state.border, self.state.end) as u16
    }

    #[inline]
    pub fn shortage(&self, text: &[u8]) -> Option<Shortage> {
        if usize::from(self.length()) >= self.entries.len() {
            return Some(Shortage::Entries);
        }
        if !E::HAS_TEXT || self.state.text.has_room(self.text, text.len()) { None } else { Some(Shortage::Text) }
    }

    /// The place behind the newest entry, free if there is room for one more.
    #[inline]
    pub fn free(self) -> Option<&'a mut E> {
        let position = self.position(self.state.end);
        self.entries.get_mut(position)
    }

    /// Takes in the entry that was written to the free place.
    #[inline]
    pub fn push(&mut self, text: &[u8], hash: u32) {
        let bucket = self.bucket(hash);
        let position = self.position(self.state.end);
        let text_start = self.text_end();
        let Some(entry) = self.entries.get_mut(position) else { return };
        if E::HAS_TEXT {
            self.state.text.push(self.text, text_start, text);
            entry.set_text(text_start as u32, text.len() as u16);
        }
        entry.set_link(END);
        let Some(head) = self.heads.get_mut(bucket) else { return };
        let (mut last, mut next) = (END, *head);
        while let Some(entry) = self.entries.get(usize::from(next)) {
            (last, next) = (next, entry.link());
        }
        match self.entries.get_mut(usize::from(last)) {
            Some(last) => last.set_link(position as u16),
            None => *head = position as u16,
        }
        settle();
        self.state.end = self.after(self.state.end);
        self.state.high_water = self.state.high_water.max(self.length());
    }

    /// The oldest entry and its text in two parts.
    #[inline]
    pub fn oldest(self) -> Option<(&'a E, &'a [u8], &'a [u8])> {
        if self.state.first == self.state.end {
            return None;
        }
        let entry = self.entries.get(self.position(self.state.first))?;
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
        let first = self.state.first;
        let Some(entry) = self.entries.get(self.position(first)) else { return };
        let bucket = self.bucket(entry.hash(seed));
        settle();
        self.state.first = self.after(first);
        settle();
        if self.state.border == first {
            self.state.border = self.state.first;
        }
        if let Some(head) = self.heads.get_mut(bucket) {
            *head = entry.link();
        }
        if E::HAS_TEXT {
            self.state.text.pop(entry.text_length());
        }
    }

    /// Where [`StoreState::first`] will be when the oldest entry is out.
    #[inline]
    pub fn second(&self) -> u32 {
        self.after(self.state.first)
    }

    /// Where a text begins that is added now: behind that of the newest entry.
    #[inline]
    fn text_end(&self) -> usize {
        if !E::HAS_TEXT || self.state.first == self.state.end {
            return 0;
        }
        let newest = self.position(self.before(self.state.end));
        let Some(entry) = self.entries.get(newest) else { return 0 };
        text::wrap(self.text, entry.text_start() as usize + entry.text_length())
    }

    #[inline]
    fn waits(&self, position: u16) -> bool {
        if self.state.first == self.state.border {
            return false;
        }
        let (position, oldest) = (usize::from(position), self.position(self.state.first));
        let age = if position >= oldest { position - oldest } else { position + self.entries.len() - oldest };
        age < usize::from(self.waiting())
    }

    #[inline]
    fn text_is_same(&self, entry: &E, text: &[u8]) -> bool {
        !E::HAS_TEXT || common_prefix(text::parts(self.text, entry.text_start(), entry.text_length()), text)
    }

    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        hash::place(hash, self.heads.len() as u32) as usize
    }

    /// Which entry a mark stands at.
    #[inline]
    fn position(&self, mark: u32) -> usize {
        let mark = mark as usize;
        if mark >= self.entries.len() { mark - self.entries.len() } else { mark }
    }

    #[inline]
    fn after(&self, mark: u32) -> u32 {
        let next = mark + 1;
        if next as usize >= 2 * self.entries.len() { 0 } else { next }
    }

    #[inline]
    fn before(&self, mark: u32) -> u32 {
        if mark == 0 { 2 * self.entries.len() as u32 - 1 } else { mark - 1 }
    }

    #[inline]
    fn distance(&self, from: u32, to: u32) -> u32 {
        if to >= from { to - from } else { to + 2 * self.entries.len() as u32 - from }
    }
}
