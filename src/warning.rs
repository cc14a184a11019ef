// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings and their text, put together without formatting machinery.

use heapless::Vec;

use crate::event::Event;
use crate::store::OverflowPolicy;

/// The longest text, of a process cache with the largest numbers, and its NUL.
const TEXT_CAPACITY: usize = 141;

pub type Text = Vec<u8, TEXT_CAPACITY>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Warning {
    pub reason: Reason,
    /// There were entries enough; only the text ring was too small.
    pub of_text: bool,
    pub policy: OverflowPolicy,
    /// More distinct events than the estimate is made for: the recommendation is a lower bound.
    pub at_least: bool,
    /// The window that lost something.
    pub sequence: u32,
    pub capacity: u32,
    pub text_bytes: u32,
    pub rejected: u32,
    pub discarded: u32,
    pub recommended_capacity: u32,
    pub recommended_text_bytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The first loss of a window.
    FirstLoss,
    /// A window with losses has been flushed.
    Losses,
}

impl Warning {
    pub fn lost(&self) -> u32 {
        self.rejected.saturating_add(self.discarded)
    }

    /// Writes the text with a NUL at its end.
    pub fn write_text<E: Event>(&self, text: &mut Text) {
        self.write_words::<E>(text);
        let _ = text.push(0);
    }

    fn write_words<E: Event>(&self, text: &mut Text) {
        let of_text = E::HAS_TEXT && self.of_text;
        put(text, E::NOUN);
        if of_text {
            put_with(text, " text full: # bytes", self.text_bytes);
        } else {
            put_with(text, " cache full: # entries", self.capacity);
        }
        if self.reason == Reason::FirstLoss {
            put(
                text,
                match self.policy {
                    OverflowPolicy::RejectNew => E::REJECTING,
                    OverflowPolicy::DiscardOldest => E::DISCARDING,
                },
            );
            return;
        }
        put_with(
            text,
            match (self.rejected, self.discarded) {
                (_, 0) => ", # events not cached; increase ",
                (0, _) => ", # events discarded; increase ",
                _ => ", # events not kept; increase ",
            },
            self.lost(),
        );
        put(text, if of_text { "it to " } else { "the cache to " });
        if self.at_least {
            put(text, "at least ");
        }
        if !E::HAS_TEXT {
            put_with(text, "#", self.recommended_capacity);
        } else if of_text {
            put_with(text, "# bytes", self.recommended_text_bytes);
        } else {
            put_with(text, "# entries and ", self.recommended_capacity);
            put_with(text, "# text bytes", self.recommended_text_bytes);
        }
    }
}

fn put(text: &mut Text, words: &str) {
    put_with(text, words, 0);
}

/// Appends the words, the number in the place of `#`. The capacity fits the longest text, so nothing is cut off.
/// No words end in NUL: the compiler would put them among its C strings, which a linker keeps or drops together.
// Inlined, each of the many calls would hold the loop.
#[inline(never)]
fn put_with(text: &mut Text, words: &str, number: u32) {
    for byte in words.bytes() {
        if byte == b'#' {
            put_number(text, number);
        } else {
            let _ = text.push(byte);
        }
    }
}

fn put_number(text: &mut Text, mut number: u32) {
    let mut digits = Vec::<u8, 10>::new();
    while digits.is_empty() || number > 0 {
        let _ = digits.push(b'0' + (number % 10) as u8);
        number /= 10;
    }
    while let Some(digit) = digits.pop() {
        let _ = text.push(digit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::connection::Connection;
    use crate::event::process::Process;
    use std::string::{String, ToString};

    const WARNING: Warning = Warning {
        reason: Reason::Losses,
        of_text: false,
        policy: OverflowPolicy::RejectNew,
        at_least: false,
        sequence: 0,
        capacity: 64,
        text_bytes: 4096,
        rejected: 131,
        discarded: 0,
        recommended_capacity: 96,
        recommended_text_bytes: 9000,
    };

    fn text<E: Event>(warning: Warning) -> String {
        let mut text = Text::new();
        warning.write_text::<E>(&mut text);
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn connections(warning: Warning) -> String {
        text::<Connection>(warning)
    }

    fn processes(warning: Warning) -> String {
        text::<Process>(warning)
    }

    #[test]
    fn the_texts_read_as_documented() {
        assert_eq!(
            connections(WARNING),
            "connection cache full: 64 entries, 131 events not cached; increase the cache to 96\0"
        );
        assert_eq!(
            connections(Warning { at_least: true, rejected: 1, discarded: 1, ..WARNING }),
            "connection cache full: 64 entries, 2 events not kept; increase the cache to at least 96\0"
        );
        assert_eq!(
            connections(Warning { reason: Reason::FirstLoss, ..WARNING }),
            "connection cache full: 64 entries; new connections are not cached until the next flush\0"
        );
        let discarding = Warning { policy: OverflowPolicy::DiscardOldest, rejected: 0, discarded: 131, ..WARNING };
        assert_eq!(
            processes(discarding),
            "process cache full: 64 entries, 131 events discarded; \
             increase the cache to 96 entries and 9000 text bytes\0"
        );
        assert_eq!(
            processes(Warning { of_text: true, ..discarding }),
            "process text full: 4096 bytes, 131 events discarded; increase it to 9000 bytes\0"
        );
        assert_eq!(
            processes(Warning { reason: Reason::FirstLoss, of_text: true, ..discarding }),
            "process text full: 4096 bytes; the oldest processes are discarded to make room\0"
        );
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 1, 9, 10, 99, 100, 65_535, 999_999_999, 1_000_000_000, u32::MAX] {
            let mut text = Text::new();
            put_number(&mut text, number);
            assert_eq!(text, number.to_string().as_bytes());
        }
    }

    #[test]
    fn the_longest_text_fits() {
        let warning = Warning {
            at_least: true,
            capacity: 65_535,
            rejected: u32::MAX,
            recommended_capacity: u32::MAX,
            recommended_text_bytes: u32::MAX,
            ..WARNING
        };
        let text = processes(warning);
        assert!(text.ends_with(" text bytes\0"), "{text}");
        assert_eq!(text.len(), TEXT_CAPACITY);
    }
}
