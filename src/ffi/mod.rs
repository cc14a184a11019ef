// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C boundary, and all of the unsafe code.
//!
//! `include/evagg.h` is made from the public items of these files, in this order: `status`, `config`, `window`,
//! `warning`, `connections`, `processes`. What the two handles share is in `instance` (the
//! memory), `live` (the verbs) and `arguments`; `relax` is the one system call.
#![expect(unsafe_code, reason = "C hands over raw pointers")]
#![expect(missing_docs, reason = "the files are chapters of the header, which has its own preface")]
#![expect(non_camel_case_types, reason = "the types carry their C names")]

mod abi;
mod arguments;
pub mod config;
pub mod connections;
mod instance;
mod live;
#[cfg(all(target_os = "none", feature = "panic-handler"))]
mod panic;
pub mod processes;
#[cfg(target_has_atomic = "ptr")]
mod relax;
mod start;
pub mod status;
pub mod warning;
pub mod window;
