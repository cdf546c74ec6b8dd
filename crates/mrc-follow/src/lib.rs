//! The follower: reads MySQL's binlog, and invalidates what each commit changed.

mod apply;
mod auto;
mod cascades;
mod check;
pub mod event;
mod follower;
mod lease;
mod position;
pub mod rules;
mod source;
pub mod statement;
mod transaction;

use mrc_store::{ExecuteError, StoreError};

pub use check::{Finding, Severity};
#[doc(hidden)]
pub use follower::Lack;
pub use follower::{Follower, FollowerBuilder, Start, Status};
pub use position::{BadPosition, GtidSet, Position, Source};

/// Why a follower can't start, or ended. Everything that may pass is tried again instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// A setting can't be used. The text says which, and how to mend it.
    #[error("follower configuration: {0}")]
    Config(String),
    /// The server can't be followed as it is. The text has the statement that changes it.
    #[error("the server can't be followed: {0}")]
    Server(String),
    /// Another replica or follower uses the same `server_id`, and the server keeps one of them.
    /// Give each its own.
    #[error("another replica uses server_id {0}: give each its own, as the server cuts off one of two")]
    ServerIdTaken(u32),
    /// Another follower has the lease, and the call doesn't wait for it.
    #[error("another follower named {0:?} runs")]
    LeaseTaken(String),
    /// The database refuses.
    #[error(transparent)]
    Database(#[from] ExecuteError),
    /// The cache refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A given position can't be read.
    #[error(transparent)]
    Position(#[from] BadPosition),
}
