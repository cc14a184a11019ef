// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store of an image that a reset left behind: whether it can be, what it holds, and its index made anew.

use super::text::{self, TextState};
use super::{END, Store, StoreState};
use crate::event::Event;
use crate::store::hash::Hasher;

/// What the entries of an image come to.
#[derive(Clone, Copy)]
pub struct Survey {
    first: u32,
    border: u32,
    text_used: u32,
    /// Hits of the entries that wait to be flushed, and of those of the current window.
    pub waiting_hits: u64,
    pub current_hits: u64,
    /// A hit count stands at its maximum.
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
        let mut survey = Survey {
            first,
            border: if reading.is_closing { first } else { border },
            text_used: 0,
            waiting_hits: 0,
            current_hits: 0,
            is_saturated: false,
        };
        // An entry of the current window that leaves takes the border along, with the second of two stores.
        if self.distance(first, survey.border) > length {
            if self.after(border) != first {
                return None;
            }
            survey.border = first;
        }
        let mut text_start = None;
        let mut mark = first;
        let mut is_waiting = true;
        while mark != end {
            is_waiting &= mark != survey.border;
            let position = self.position(mark);
            let entry = self.entries.get(position)?;
            if !entry.is_valid() || (reading.has_index && !self.is_linked(entry, position, seed)) {
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
                survey.text_used += length as u32;
                if survey.text_used as usize > self.text.len() || !self.has_its_text(entry, seed) {
                    return None;
                }
                text_start = Some(text::wrap(self.text, start as usize + length) as u32);
            }
            let hits = if is_waiting { &mut survey.waiting_hits } else { &mut survey.current_hits };
            *hits += u64::from(entry.hit_count());
            survey.is_saturated |= entry.hit_count() == u32::MAX;
            mark = self.after(mark);
        }
        Some(survey)
    }

    /// Whether the entry is in the chain of its hash.
    fn is_linked(&self, entry: &E, position: usize, seed: Hasher) -> bool {
        let Some(mut next) = self.heads.get(self.bucket(entry.hash(seed))).copied() else { return false };
        for _ in 0..self.entries.len() {
            if usize::from(next) == position {
                return true;
            }
            let Some(entry) = self.entries.get(usize::from(next)) else { return false };
            next = entry.link();
        }
        false
    }

    /// Whether the text belongs to the entry. Of one in two parts that is not known.
    fn has_its_text(&self, entry: &E, seed: Hasher) -> bool {
        let (head, tail) = text::parts(self.text, entry.text_start(), entry.text_length());
        !tail.is_empty() || entry.has_text(head, seed)
    }

    /// Takes over what the survey found. It can be done again at any time.
    pub fn recover(&mut self, survey: &Survey, seed: Hasher) {
        self.state.high_water = self.state.high_water.max(self.length());
        self.state.text = TextState::of(survey.text_used);
        for head in self.heads.iter_mut() {
            *head = END;
        }
        let mut mark = self.state.first;
        while mark != self.state.end {
            let position = self.position(mark);
            if let Some(entry) = self.entries.get(position) {
                self.link(position, entry.hash(seed));
            }
            mark = self.after(mark);
        }
    }
}

impl StoreState {
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Puts the marks where the survey found that they belong.
    pub fn set_ring(&mut self, survey: &Survey) {
        self.border = survey.border;
        self.first = survey.first;
    }
}
