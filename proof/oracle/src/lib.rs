//! Searches for changes of a database that change a query's answer, and whose tags miss the
//! query's.
#![expect(clippy::expect_used, reason = "a run that can't reach its server has nothing to return")]

mod cases;
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
