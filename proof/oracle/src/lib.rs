//! Searches for changes of a database that change a query's answer, and whose tags miss the query's.
//!
//! | module | purpose |
//! |---|---|
//! | `column` | types of columns, their values in SQL and as a follower sees them |
//! | `schema` | random tables |
//! | `query` | random queries over them |
//! | `condition` | random conditions |
//! | `change` | random changes |
//! | `realistic` | a load like a shop's |
//! | `server` | batches of statements on a real server |
//! | `follower` | the tags that a change ends |
//! | `run` | pairs of query and change, and the verdict |
//! | `live` | the same end to end: a client, a follower, and a program that writes |
//! | `cases` | fixed pairs that an earlier version missed |
//! | `cost` | the time that deriving takes |
#![expect(clippy::expect_used, reason = "a run that can't reach its server has nothing to return")]

mod cases;
mod change;
mod column;
mod condition;
mod cost;
mod follower;
mod live;
mod query;
mod realistic;
mod run;
mod schema;
mod server;

pub use cases::{Case, Outcome, cases, try_case};
pub use cost::cost;
pub use live::{FollowReport, FollowSettings, Without, run_follow};
pub use mrc_core::depends::Lack;
pub use run::{Load, Report, Settings, any_seed, run};

pub use server::foldings;

/// Any failure ends the run.
pub type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
