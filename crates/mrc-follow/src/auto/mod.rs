//! Tags without rules: each changed row ends the entries whose conditions it meets.
//!
//! Readers register a scheme for the conditions of each query, and their entries carry the tags of
//! [`mrc_core::depends`]. The follower computes the same tags from the rows.
//!
//! | file | content |
//! |---|---|
//! | `book` | the schemes and collations that are known, shared by the leader and the reader of the log |
//! | `plan` | the schemes of one version of a table, its columns, and the tags of its rows |
//!
//! # The order
//! Rows are decoded with the schemes that are known then. After readers see the change, the leader
//! reads the registry again. A scheme that wasn't known when the oldest transaction of a batch was
//! decoded is ended as a whole. So no scheme of a read without the change is missing.

mod book;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use book::{Book, Known, table_tag};
pub(crate) use plan::Plan;
