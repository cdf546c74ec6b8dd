//! Automatic dependencies: from SQL text to the rows that can change its answer.
//!
//! A statement reads *occurrences* of tables. For each of them [`derive()`] finds the equalities
//! that a row must meet to matter: the *scheme*. The caller registers the scheme, and stores the
//! entry with the tags of [`Template::entry_tags`]. A follower reads the changed rows, computes the
//! tags of each row under each registered scheme ([`Scheme::bind`], [`BoundScheme::tags`]), and
//! invalidates them.
//!
//! ```
//! use mrc_core::depends::{ColumnType, RowTags, RowValue, Scheme, TableColumn, TableColumns, TableName, derive};
//! use mrc_core::params;
//!
//! let template = derive("SELECT total FROM orders WHERE store_id = ?", Some("shop"));
//! let of_call = template.tags(&params! { "StoreId" => 6 });
//!
//! let column = |name: &str| TableColumn { name: name.into(), kind: ColumnType::Int };
//! let columns = TableColumns(vec![column("id"), column("store_id")]);
//! let scheme = Scheme::parse(&of_call[0].scheme.columns)?.bind(&TableName::new("shop", "orders"), &columns);
//!
//! let new_row = [RowValue::Int(1), RowValue::Int(6)];
//! assert_eq!(scheme.tags(None, Some(&new_row)), RowTags::Tags(vec![of_call[0].tag.clone()]));
//! # Ok::<(), mrc_core::depends::SchemeError>(())
//! ```
//!
//! # Why it is sound
//!
//! If a row can change the answer, its image before or after meets the equalities of some
//! occurrence of its table, so its tag is one of the entry's. A condition whose meaning isn't sure
//! is left out, which only widens the set of rows. A statement that can't be read isn't
//! [followable](Template::followable).
//!
//! # What the caller must see to
//!
//! - The read-only check judges what is cached; this module refuses whatever the check refuses.
//! - The session's `sql_mode` has none of `ANSI_QUOTES`, `PIPES_AS_CONCAT`, `NO_BACKSLASH_ESCAPES`
//!   and `HIGH_NOT_PRECEDENCE`, and `sql_auto_is_null` is 0. They change what a text means.
//! - A prepared statement isn't shared between types of params.
//! - For a view: [`Template::read_too`] with its tables. Its name is an occurrence, for its DDL.
//! - A reader registers the scheme before it reads the database.
//!
//! # The three tags of an occurrence
//!
//! | tag | text | ended by |
//! |---|---|---|
//! | of the rows | `t:shop.orders?store_id=6` | a row that meets the conditions |
//! | of the scheme | `t:shop.orders?store_id:int` | a row whose value is uncertain; a class that doesn't fit its column |
//! | of the table | `t:shop.orders` | `TRUNCATE`, DDL, lost positions, lost registry |
//!
//! The table's tag is needed so that nothing depends on the registry: whatever the follower doesn't
//! know, it ends the table's tag. The scheme's tag is needed so that one statement like
//! `varchar_column = 0`, or one row with `é`, doesn't end the entries of all other schemes. An
//! occurrence without conditions has the same tag for its rows and its scheme: `t:shop.orders?`.

mod class;
mod clause;
mod conditions;
mod derive;
mod dialect;
mod explain;
mod fold;
mod from;
mod lack;
mod occurrence;
mod refusal;
mod row;
mod scheme;
mod template;
#[cfg(test)]
mod tests {
    mod explain;
    mod properties;
    mod reader;
    mod rows;
}
mod text;

pub use class::Class;
#[doc(hidden)]
pub use derive::derive_lacking;
pub use derive::{derive, derive_tokens};
pub use explain::{ExplainedOccurrence, Explanation, explain};
pub use fold::CollationFolding;
#[doc(hidden)]
pub use lack::Lack;
pub use occurrence::{LeftOut, Occurrence, SchemeTag, TableScheme};
pub use refusal::{LeftOutReason, NotFollowable};
pub use row::{RowTags, RowValue, Uncertain};
pub use scheme::{BoundScheme, ColumnType, Fit, Scheme, SchemeError, SchemeName, TableColumn, TableColumns};
pub use template::Template;
pub use text::TableName;
