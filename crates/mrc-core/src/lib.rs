//! The pure part of mrc: no I/O, no async, no clock, no global randomness.
//!
//! Computing keys needs only this crate:
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
//! | item | purpose |
//! |---|---|
//! | [`Params`], [`Value`] | the values that are bound to a statement's placeholders |
//! | [`KeyScheme`], [`Key`] | the key of a statement and its params, as either peer computes it |
//! | [`FunctionKey`] | the key of a function call |
//! | [`EntryPattern`], [`Glob`] | the keys, or names, that an invalidation selects |
//! | [`Nesting`] | the limit on how deep a value nests |
//! | [`Tag`] | a name that entries share |
//! | [`Ttl`] | time to live, with jitter |
//! | [`statement`] | whether a statement may be cached |
//! | [`depends`] | which rows can change a statement's answer |
//! | [`RowEncoder`], [`json`] | rows, written straight to JSON |
//! | [`RowsDeserializer`] | rows, read from JSON into types |
//! | `compat` (a feature) | the keys of Python libraries |
//! | [`Event`], [`Stats`] | the decisions of a cache, and their counts |

mod collation;
mod compounds;
mod event;
mod glob;
mod key;
mod nesting;
mod param;
mod pattern;
mod row;
mod stats;
mod tag;
mod temporal;
mod ttl;
mod typed;
mod value;

#[cfg(feature = "compat")]
pub mod compat;
pub mod depends;
pub mod json;
pub mod statement;

#[doc(hidden)]
pub use collation::maybe_equal;
pub use event::{Bypass, Event, EventListener};
pub use glob::{Glob, GlobError};
pub use key::{Ambiguity, FunctionKey, FunctionKeyError, Key, KeyFormat, KeyScheme, Mark, TextHash, UnknownKeyFormat};
pub use nesting::Nesting;
pub use param::{KeyError, Param, Params};
pub use pattern::{EntryPattern, PatternError};
pub use row::{Cell, Column, ColumnKind, RowEncoder, RowError, RowFormat, UnknownRowFormat};
pub use stats::{Latency, Snapshot, Stats};
pub use tag::{Tag, TagError};
pub use temporal::{Date, DateTime, TemporalError, Time};
pub use ttl::{Ttl, TtlError};
pub use typed::RowsDeserializer;
pub use value::{Decimal, DecimalError, Element, Value};
