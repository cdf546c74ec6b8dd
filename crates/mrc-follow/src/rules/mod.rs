//! Rules: which tags and params a changed row invalidates.
//!
//! ```
//! use mrc_follow::rules::{FollowConfig, Rule, Rules, TableName};
//!
//! let (config, rules) = FollowConfig::from_toml(
//!     r#"
//!     [follow]
//!     name = "shop"
//!     server_id = 4242
//!
//!     [[rule]]
//!     table = "shop.orders"
//!     all = "orders"
//!     tags = ["orders:{store_id}", "order:{id}"]
//!     params = { StoreId = "{store_id}" }
//!     "#,
//! )?;
//! assert_eq!(config.name, "shop");
//!
//! let in_code = Rules::new([Rule::table("shop.orders")
//!     .all("orders")
//!     .tag("orders:{store_id}")
//!     .tag("order:{id}")
//!     .param("StoreId", "{store_id}")])?;
//! let orders = TableName::new("shop", "orders");
//! assert_eq!(in_code.all_of(&orders), rules.all_of(&orders));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A row counts before **and** after its change: an order that moves to another store invalidates
//! the tags of both stores. A table is invalidated as a whole if a row can't be read for certain.
//!
//! # Values
//! | column | in a tag | as a param also |
//! |---|---|---|
//! | integers, `YEAR` | `42` | `TINYINT` 0 and 1: the booleans |
//! | `DECIMAL` | all digits: `10.50` | `10.5`, and the double |
//! | `CHAR`, `VARCHAR`, `TEXT`, `ENUM` | the text | |
//! | `BINARY`, `VARBINARY`, `BLOB` | the bytes, if they are UTF-8 | the bytes |
//! | `DATE`, `DATETIME`, `TIME` | `2026-11-28 12:30:00`, six digits of a fraction that isn't zero | the date, the server's text |
//! | `TIMESTAMP` | as `DATETIME`, in the rules' time zone | as `DATETIME` |
//! | `NULL` | `null` | the NULL of both key formats |
//! | `FLOAT`, `DOUBLE`, `BIT`, `SET`, `JSON`, `GEOMETRY`, `VECTOR` | refused | refused |
//!
//! # Limits
//! - A param's type must be the column's: the key of an integer column with the param `42.0` has
//!   another spelling in Python.
//! - SQL compares text by collation, but tags and params are compared by byte. A query for
//!   `State = "OPEN"` reads rows with `open`, and the param `State` of such a row is `open`.
//! - The key of a list param, `IN (?)`, doesn't contain its members as params. Tag such queries.

mod config;
mod effects;
mod plan;
mod rule;
mod set;
mod spelling;
#[cfg(test)]
mod tests;

pub use config::{ConfigError, FollowConfig, TimeZone, TimeZoneError};
pub use effects::{Effects, Reason};
pub use plan::Plan;
pub use rule::{Rule, RuleError, TableName};
pub use set::{Fallback, Rules, Server};
pub(crate) use spelling::{Charset, date};
