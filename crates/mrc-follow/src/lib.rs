//! The follower: reads MySQL's binlog, and invalidates what each commit changed.

mod apply;
mod auto;
mod cascades;
mod check;
mod error;
pub mod event;
mod follower;
mod lease;
mod passing;
mod position;
pub mod rules;
mod source;
pub mod statement;
mod status;
mod transaction;

pub use check::{Finding, Severity};
pub use error::FollowError;
#[doc(hidden)]
pub use follower::Lack;
pub use follower::{Follower, FollowerBuilder, Start};
pub use position::{BadPosition, GtidSet, Position, Source};
pub use status::Status;
