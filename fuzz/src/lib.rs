//! What mrc does with input that it can't choose, as functions of bytes that must not panic.
//!
//! | target | what must hold |
//! |---|---|
//! | [`keys`] | an unambiguous key can be split in one way; an invalidation finds every key of its params |
//! | [`statement`] | blanks and comments around a text change nothing; what locks, follows a `;` or calls a stored function is refused wherever it stands |
//! | [`json`] | a document stays the document it was; what is none is an error |
//! | [`rows`] | rows of any cells are valid JSON in every format, or an error |
//! | [`arguments`] | a command line is understood or refused, shows no password, and its params mean the same to a key and to a drop |
//!
//! `just fuzz TARGET` searches for input that breaks one of them. `cargo test` runs what lies in `corpus`, and some thousand inputs
//! of its own, on any toolchain.

extern crate mrc as mrc_core;

mod arguments;
mod input;
mod json;
mod keys;
mod rows;
mod statement;

// The command line's own files: a binary has nothing that could be depended on.
#[allow(dead_code)]
#[path = "../../crates/mrc-cli/src/args.rs"]
mod args;
#[allow(dead_code, unused_imports)]
#[path = "../../crates/mrc-cli/src/value/mod.rs"]
mod value;

pub use arguments::arguments;
pub use json::json;
pub use keys::keys;
pub use rows::rows;
pub use statement::statement;

/// A target, as libFuzzer calls it.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus too.
pub const TARGETS: [(&str, Target); 5] =
    [("keys", keys), ("statement", statement), ("json", json), ("rows", rows), ("arguments", arguments)];
