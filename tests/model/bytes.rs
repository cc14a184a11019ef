// SPDX-License-Identifier: MIT OR Apache-2.0
//! A configuration and calls out of arbitrary bytes.

use super::call::{Attach, Call, Config, Foreign, Lock, Shape, Start};

pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// 0 behind the end.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// Small, or such that two or three of them exceed the range.
    fn count(&mut self) -> u32 {
        match self.byte() {
            byte @ 0..200 => u32::from(byte),
            byte @ 200..220 => u32::MAX / 2 - 10 + u32::from(byte - 200),
            byte => u32::MAX - u32::from(255 - byte),
        }
    }

    pub fn config(&mut self) -> Config {
        let capacity = match self.byte() {
            byte @ 0..230 => byte % 7 + 1,
            byte => 55 + byte % 16,
        };
        Config {
            capacity,
            keys: self.byte() % 200 + 1,
            policy: self.byte() % 3,
            text_maximum: u16::from(self.byte() % 20) + 1,
            text_spare: self.byte().into(),
            interval: u32::from(self.byte()),
            start: self.word(),
            seed: u64::from(self.word()) << 32 | u64::from(self.word()),
            warns_at_flush: self.flag(),
            lock: self.lock(),
        }
    }

    fn lock(&mut self) -> Lock {
        [Lock::BuiltIn, Lock::OneContext, Lock::Callbacks][usize::from(self.byte() % 3)]
    }

    pub fn call(&mut self) -> Option<Call> {
        if self.0.is_empty() {
            return None;
        }
        Some(match self.byte() % 50 {
            0..20 => Call::Record { key: self.byte(), is_out: self.flag(), bytes: self.count() },
            20..25 => {
                let shape = Shape::ALL[usize::from(self.byte()) % Shape::ALL.len()];
                Call::Packet { key: self.byte(), is_out: self.flag(), shape, payload: self.byte().into() }
            }
            25..32 => Call::Flush { records: self.byte() % 8 + 1, text_spare: self.byte() % 64 },
            32 => Call::Flush { records: 80, text_spare: 255 },
            33..36 => Call::MergeBack { records: self.byte() % 5, newest: self.flag() },
            36..38 => Call::Merge((0..self.byte() % 4).map(|_| self.foreign()).collect()),
            38..40 => Call::SetPolicy(self.byte() % 2 + 1),
            40 => Call::SetEnabled(self.byte() < 192),
            41..44 => Call::Listen(self.byte() < 192),
            44 => Call::Due { ahead: i32::from(self.byte()) - 100 },
            45..47 => Call::Clock(self.byte().cast_signed()),
            47 if self.byte() < 64 => Call::Restart,
            48 => Call::Attach(self.attach()),
            _ => Call::Wrong(self.byte()),
        })
    }

    fn attach(&mut self) -> Attach {
        Attach {
            policy: self.byte() % 3,
            interval: self.byte().into(),
            warns_at_flush: self.flag(),
            lock: self.lock(),
            start: if self.byte() < 32 { Start::Zero } else { Start::Clock(self.byte().cast_signed()) },
        }
    }

    fn foreign(&mut self) -> Foreign {
        Foreign {
            key: self.byte(),
            hits: self.count().max(1),
            bytes: [self.count(), self.count()],
            age: self.byte().cast_signed(),
            span: self.byte(),
        }
    }
}
