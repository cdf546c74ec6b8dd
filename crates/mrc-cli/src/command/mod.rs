//! The commands of `mrc`, one file each.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod drop;
mod each;
pub(crate) mod explain;
pub(crate) mod follow;
pub(crate) mod get;
pub(crate) mod invalidate;
pub(crate) mod key;
pub(crate) mod query;
pub(crate) mod stats;
mod told;
