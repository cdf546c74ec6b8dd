//! The follower: reads MySQL's binlog, and invalidates what each commit changed.

pub mod event;
pub mod rules;
pub mod statement;
