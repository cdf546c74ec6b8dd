//! JSON as `JSON.stringify` writes it, since the peers compare it byte for byte.
//!
//! [`to_vec`] takes any type that serde can serialize. It differs from `serde_json::to_vec` only in
//! the spelling of floats (`5000` and not `5000.0`, `1e-7`, `1e+21`). Integers keep all their
//! digits, even beyond 2^53, where JavaScript would round them.
//!
//! [`string`] and [`number`] are for writing parts by hand into one buffer.

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
