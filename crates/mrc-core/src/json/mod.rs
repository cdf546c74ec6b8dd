//! JSON, written as `JSON.stringify` writes it: what the peers compare byte for byte.
//!
//! [`to_vec`] takes whatever serde can serialize. It differs from `serde_json::to_vec` in the spelling of floats alone
//! (`5000` and not `5000.0`, `1e-7`, `1e+21`), since the escapes of strings are the same in both.
//! Integers keep all their digits, also beyond 2^53, where JavaScript would round them.
//!
//! [`string`] and [`number`] are the pieces underneath, for writing by hand into one buffer.

mod document;
mod order;
mod text;
mod writer;

pub mod number;

pub(crate) use document::{Spelling, rewrite};
pub(crate) use order::member_order;
pub(crate) use text::escape;
pub use text::string;
pub use writer::{to_vec, to_writer};

#[cfg(test)]
mod tests;
