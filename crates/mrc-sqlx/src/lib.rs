//! The cache [mrc](https://docs.rs/mrc) for services that hold an `sqlx::MySqlPool`.
//!
//! [`SqlxExecutor`] answers to the byte as mrc's own `MySqlExecutor` does with `ParamMode::Prepared`. For the row format `Canonical` that is
//! its default, so services with either share their entries.
//!
//! Params are always bound to prepared statements. For the row formats `TypeScript` and `Python`, `MySqlExecutor` writes params into the
//! text, as the peers do, and the server answers some queries differently then. A service that shares entries with these peers uses
//! `MySqlExecutor`.
//!
//! ```no_run
//! use mrc::{MrcClient, MrcServer, params};
//! use mrc_sqlx::SqlxExecutor;
//! use mrc_sqlx::sqlx::{self, MySqlPool};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = MySqlPool::connect("mysql://shop:secret@localhost/shop").await?;
//! let client = MrcClient::builder().executor(SqlxExecutor::new(pool.clone())).redis("redis://localhost").build()?;
//! let server = MrcServer::new("redis://localhost")?;
//!
//! // The service begins its transactions itself, and commits them. The invalidation comes after the commit.
//! let mut transaction = pool.begin().await?;
//! sqlx::query("UPDATE orders SET state = 'paid' WHERE store_id = ?").bind(6).execute(&mut *transaction).await?;
//! transaction.commit().await?;
//! server.drop_outdated_cache(params! { "StoreId" => 6 }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Rows that differ
//! sqlx 0.9 tells neither a column's decimals nor its table's alias. The decimals follow from the length. So these answers
//! differ from `MySqlExecutor`'s, and no others that are known:
//!
//! | answer | here |
//! |---|---|
//! | `RowFormat::TypeScript` and `Python`, and a float of fixed decimals: `FLOAT(7,3)`, `PI()` | is printed as a float without: `1234.57`, not `1234.567` |
//! | `RowFormat::Python` and two columns of one name | [`RowError::DuplicateColumn`](mrc_core::RowError), as the tables' aliases aren't known |
//! | a column of the type `VECTOR` | [`ExecuteError::Refused`](mrc_store::ExecuteError): select `VECTOR_TO_STRING(…)` or `TO_BASE64(…)` |
//! | a column that is renamed to the empty text | has its own name |
//! | MariaDB, and a `Time` param that is selected itself: `SELECT ? AS a` | has 6 digits after the second |
//!
//! # Writes and transactions
//! `client.execute` and `client.transaction` work, on connections that are closed after the end, as sqlx can't reset a session.
//!
//! - `Executed::affected_rows` counts the rows that an `UPDATE` finds, also those that it leaves as they were: sqlx asks the server so.
//! - In a transaction each statement costs a round trip more. sqlx doesn't tell whether the transaction is still open, so the server is asked.
//!   After that, `ROW_COUNT()` and `SHOW WARNINGS` tell of this question.
//! - MySQL refuses `SAVEPOINT` and `ROLLBACK TO` as prepared statements, with error 1295.
//! - A statement that is cancelled closes the connection. The server rolls back when the statement has ended, by its limit at the latest.
//!
//! sqlx 0.8 also hides whether a column with a `_bin` collation is text, and which table it's of.
//! An executor over it would have to guess, so there is none.

mod columns;
mod executor;
mod failure;
mod json_columns;
mod params;
mod seam;
mod session;
mod transaction;
mod values;

pub use executor::SqlxExecutor;
pub use sqlx;

/// The examples of the guide compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/backends.md")]
mod guide {}
