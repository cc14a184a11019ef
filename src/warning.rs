// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings and their text, put together without formatting machinery.

use heapless::Vec;

use crate::event::Event;

/// The longest text, with the largest numbers and a NUL.
const TEXT_CAPACITY: usize = 108;

pub type Text = Vec<u8, TEXT_CAPACITY>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Warning {
    /// The window that lost something.
    pub sequence: u32,
    pub capacity: u32,
    pub text_bytes: u32,
    pub lost: u32,
    /// What happens, of the first loss of a window, or what happened, of one that has been flushed.
    pub loss: Phrase,
    /// There were entries enough; only the text ring was too small.
    pub of_text: bool,
    pub recommended_capacity: u32,
    pub recommended_text_bytes: u32,
    /// More distinct events than the estimate is made for: the recommendation is a lower bound.
    pub at_least: bool,
}

impl Warning {
    pub fn is_first_loss(&self) -> bool {
        matches!(self.loss, Phrase::Rejecting | Phrase::Discarding)
    }
}

/// The numbers in a text. By reference, because they stand on the stack already, in what a callback gets.
pub struct Numbers<'a> {
    pub capacity: &'a u32,
    pub text_bytes: u32,
    pub lost: &'a u32,
    pub recommended_capacity: &'a u32,
    pub recommended_text_bytes: &'a u32,
}

/// Writes the text of a warning with a NUL at its end.
#[inline]
pub fn write_text<E: Event>(text: &mut Text, warning: &Warning, numbers: &Numbers<'_>) {
    let of_text = E::HAS_TEXT && warning.of_text;
    for byte in E::NOUN.bytes() {
        let _ = text.push(byte);
    }
    if of_text {
        put(text, Phrase::TextFull, numbers.text_bytes);
    } else {
        put(text, Phrase::CacheFull, *numbers.capacity);
    }
    put(text, warning.loss, *numbers.lost);
    if !warning.is_first_loss() {
        if of_text {
            put(text, Phrase::IncreaseText, *numbers.recommended_text_bytes);
        } else {
            put(text, Phrase::IncreaseCache, *numbers.recommended_capacity);
        }
    }
    let _ = text.push(0);
}

/// The phrases of all texts, by their place in `PHRASES`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phrase {
    CacheFull,
    TextFull,
    Rejecting,
    Discarding,
    Rejected,
    Discarded,
    Lost,
    IncreaseCache,
    IncreaseText,
}

/// A number takes the place of `#`.
// One string, because each of several would cost a firmware its address and its length wherever it is used.
const PHRASES: &str = " cache full: # entries| text full: # bytes\
    |; new events are not cached|; the oldest are discarded\
    |, # events not cached|, # events discarded|, # events not kept\
    |; increase the cache to at least #|; increase it to at least # bytes";

/// Appends the phrase. The capacity fits the longest text, so nothing is cut off.
// Inlined, each of the many calls would hold the loop.
#[inline(never)]
fn put(text: &mut Text, phrase: Phrase, number: u32) {
    let mut behind = phrase as u8;
    for byte in PHRASES.bytes() {
        if byte == b'|' {
            if behind == 0 {
                break;
            }
            behind -= 1;
        } else if behind > 0 {
            // Another phrase.
        } else if byte == b'#' {
            put_number(text, number);
        } else {
            let _ = text.push(byte);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a digit")]
fn put_number(text: &mut Text, mut number: u32) {
    let mut divisor = 1_000_000_000;
    while divisor > 1 && number < divisor {
        divisor /= 10;
    }
    while divisor > 0 {
        let _ = text.push(b'0' + (number / divisor) as u8);
        number %= divisor;
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::connection::Connection;
    use crate::event::process::Process;
    use crate::store::sketch::Distinct;
    use std::string::{String, ToString};

    const WARNING: Warning = Warning {
        loss: Phrase::Rejected,
        of_text: false,
        sequence: 0,
        capacity: 64,
        text_bytes: 4096,
        lost: 131,
        recommended_capacity: 96,
        recommended_text_bytes: 9000,
        at_least: false,
    };

    fn text<E: Event>(warning: Warning) -> String {
        let mut text = Text::new();
        let numbers = Numbers {
            capacity: &warning.capacity,
            text_bytes: warning.text_bytes,
            lost: &warning.lost,
            recommended_capacity: &warning.recommended_capacity,
            recommended_text_bytes: &warning.recommended_text_bytes,
        };
        write_text::<E>(&mut text, &warning, &numbers);
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
            "connection cache full: 64 entries, 131 events not cached; increase the cache to at least 96\0"
        );
        assert_eq!(
            connections(Warning { loss: Phrase::Lost, lost: 2, ..WARNING }),
            "connection cache full: 64 entries, 2 events not kept; increase the cache to at least 96\0"
        );
        assert_eq!(
            connections(Warning { loss: Phrase::Rejecting, ..WARNING }),
            "connection cache full: 64 entries; new events are not cached\0"
        );
        assert_eq!(
            processes(Warning { loss: Phrase::Discarded, ..WARNING }),
            "process cache full: 64 entries, 131 events discarded; increase the cache to at least 96\0"
        );
        assert_eq!(
            processes(Warning { loss: Phrase::Discarded, of_text: true, ..WARNING }),
            "process text full: 4096 bytes, 131 events discarded; increase it to at least 9000 bytes\0"
        );
        assert_eq!(
            processes(Warning { loss: Phrase::Discarding, of_text: true, ..WARNING }),
            "process text full: 4096 bytes; the oldest are discarded\0"
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
    fn the_longest_texts_fit() {
        let warning = Warning { capacity: 65_535, lost: u32::MAX, ..WARNING };
        let warning = Warning { recommended_capacity: Distinct::MOST + u32::from(u16::MAX), ..warning };
        let text = connections(warning);
        assert!(text.ends_with(&std::format!(" {}\0", warning.recommended_capacity)), "{text}");
        assert_eq!(text.len(), TEXT_CAPACITY);
        let warning = Warning { of_text: true, text_bytes: 0x0FFF_FFFF, recommended_text_bytes: u32::MAX, ..warning };
        let text = processes(warning);
        assert!(text.ends_with(" bytes\0"), "{text}");
    }
}
