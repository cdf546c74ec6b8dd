//! The pure part of mrc: no I/O, no async, no clock, no global randomness.
//!
//! Whoever only computes keys needs no more than this crate:
//!
//! ```
//! use mrc_core::{KeyFormat, KeyScheme, params};
//!
//! let sql = "SELECT * FROM users WHERE id = ? AND active = ?";
//! let params = params! { "UserId" => 123, "Active" => true };
//!
//! let npm = KeyScheme::new(KeyFormat::TypeScript).key(sql, &params)?;
//! let pypi = KeyScheme::new(KeyFormat::Python).key(sql, &params)?;
//! assert_eq!(npm.as_str(), "UserId=123_Active=true_a296ad29214c7494c4b2280854ae8e4af5606235");
//! assert_eq!(pypi.as_str(), "UserId=123_Active=True_a296ad29214c7494c4b2280854ae8e4af5606235");
//! # Ok::<(), mrc_core::KeyError>(())
//! ```
//!
//! | room | what it is for |
//! |---|---|
//! | [`Params`], [`Value`] | what is bound to the placeholders of a statement |
//! | [`KeyScheme`], [`Key`] | the key of a statement and its params, as either peer makes it |
//! | [`EntryPattern`] | which keys an invalidation is about |
//! | [`Ttl`] | time to live, with jitter |
//! | [`statement`] | whether a statement may be cached |
//! | [`RowEncoder`], [`json`] | rows, straight to JSON |
//! | [`Event`] | what a cache decided |

mod event;
mod key;
mod param;
mod pattern;
mod row;
mod temporal;
mod ttl;
mod value;

pub mod json;
pub mod statement;

pub use event::{Bypass, Event, EventListener};
pub use key::{Ambiguity, Key, KeyError, KeyFormat, KeyScheme, TextHash, UnknownKeyFormat};
pub use param::{Param, Params};
pub use pattern::{EntryPattern, PatternError};
pub use row::{Cell, Column, ColumnKind, RowEncoder, RowError, RowFormat, UnknownRowFormat};
pub use temporal::{Date, DateTime, TemporalError, Time};
pub use ttl::{Ttl, TtlError};
pub use value::{Decimal, DecimalError, Element, Value};
