//! The follower: reads MySQL's binlog, and invalidates what each commit changed.

pub mod event;
mod position;
pub mod rules;
mod source;
pub use position::{BadPosition, GtidSet, Position, Source};
