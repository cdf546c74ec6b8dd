//! Rows on their way from a database to JSON: typed cells are pushed into one buffer, row by row.
//!
//! A `QueryExecutor` of `mrc-store` announces the columns once, then pushes each
//! row's cells in order. The encoder keeps only the bytes for the cache.
//!
//! A [`RowFormat`] decides how values are spelled: each has its own file, over one encoder.

mod calendar;
mod canonical;
mod cell;
mod decimal;
mod encoder;
mod error;
mod format;
mod geometry;
mod python;
mod server_float;
mod split;
mod typescript;

pub use cell::{Cell, Column, ColumnKind};
pub use encoder::RowEncoder;
pub use error::RowError;
pub use format::{RowFormat, UnknownRowFormat};

#[cfg(test)]
mod tests;
