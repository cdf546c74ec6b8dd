//! The mrc cache for services that hold an `sqlx::MySqlPool`.
//!
//! [`SqlxExecutor`] returns the same bytes as mrc's `MySqlExecutor` with `ParamMode::Prepared`, its
//! default for the row format `Canonical`. Services with either executor then share entries. For
//! the row formats `TypeScript` and `Python`, `MySqlExecutor` writes params into the text, like the
//! peers. The server then answers some queries differently. A service that shares entries with the
//! peers uses `MySqlExecutor`.
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
//! sqlx 0.9 reports neither a column's decimals nor its table's alias. The decimals follow from the
//! length. All known differences from the answers of `MySqlExecutor`:
//!
//! | answer | here |
//! |---|---|
//! | `RowFormat::TypeScript` and `Python`, and a float of fixed decimals: `FLOAT(7,3)`, `PI()` | is printed like a float without fixed decimals: `1234.57`, not `1234.567` |
//! | `RowFormat::Python` and two columns of one name | [`RowError::DuplicateColumn`](mrc_core::RowError), because the tables' aliases aren't known |
//! | a column of the type `VECTOR` | [`ExecuteError::Refused`](mrc_store::ExecuteError): select `VECTOR_TO_STRING(…)` or `TO_BASE64(…)` |
//! | a column that is renamed to the empty text | keeps its own name |
//! | MariaDB, and a `Time` param that is selected itself: `SELECT ? AS a` | has 6 digits after the second |
//!
//! # Writes and transactions
//! `client.execute` and `client.transaction` close their connections: sqlx can't reset a session.
//!
//! - sqlx makes `Executed::affected_rows` count unchanged rows too, if the `UPDATE` finds them.
//! - In a transaction each statement costs one more round trip. sqlx doesn't report whether the
//!   transaction is still open, so the executor asks the server. Afterwards `ROW_COUNT()` and
//!   `SHOW WARNINGS` refer to this question.
//! - MySQL refuses `SAVEPOINT` and `ROLLBACK TO` as prepared statements, with error 1295.
//! - A cancelled statement closes its connection. The server rolls back when the statement ends, at
//!   the latest by its time limit.
//!
//! sqlx 0.8 also hides a column's table, and whether a column with a `_bin` collation is text. This
//! crate has no executor over sqlx 0.8, because the executor would have to guess.

mod columns;
mod executor;
mod failure;
mod seam;
mod session;
mod values;

pub use executor::SqlxExecutor;
pub use sqlx;

/// Compiles the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/backends.md")]
mod guide {}
