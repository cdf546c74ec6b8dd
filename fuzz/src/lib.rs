//! Functions of any bytes that must not panic, for input that mrc can't choose.
//!
//! | target | what must hold |
//! |---|---|
//! | [`keys`] | an unambiguous key can be split in one way; an invalidation finds every key of its params |
//! | [`statement`] | blanks and comments around a text change nothing; a lock, text after a `;` or a call of a stored function is refused wherever it stands |
//! | [`json`] | a document stays the same document; any other text is an error |
//! | [`rows`] | rows of any cells are valid JSON in every format, or an error |
//! | [`events`] | events of a binlog, damaged or not, are decoded or refused; a cell doesn't depend on the other cells that are asked for |
//! | [`arguments`] | a command line is understood or refused, shows no password, and its params mean the same to a key and to a drop |
//!
//! `just fuzz TARGET` searches for input that breaks a target. `cargo test` runs the inputs in
//! `corpus`, and some thousand inputs of its own, on any toolchain.

mod arguments;
mod events;
mod input;
mod json;
mod keys;
mod rows;
mod statement;

// The command line's own files, since a crate can't depend on a binary.
#[allow(dead_code)]
#[path = "../../crates/mrc-cli/src/args/mod.rs"]
mod args;
#[allow(dead_code, unused_imports)]
#[path = "../../crates/mrc-cli/src/value/mod.rs"]
mod value;

// The decoder's own files, since its crate builds the drivers too.
#[allow(dead_code, unused_imports)]
#[path = "../../crates/mrc-follow/src/event/mod.rs"]
mod event;

pub use arguments::arguments;
pub use events::events;
pub use json::json;
pub use keys::keys;
pub use rows::rows;
pub use statement::statement;

/// A target's function, as libFuzzer calls it.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also its corpus's name.
pub const TARGETS: [(&str, Target); 6] = [
    ("keys", keys),
    ("statement", statement),
    ("json", json),
    ("rows", rows),
    ("events", events),
    ("arguments", arguments),
];
