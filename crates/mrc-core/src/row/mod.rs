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
mod python;
mod split;
mod typescript;

pub use cell::{Cell, Column, ColumnKind, RowError, RowFormat, UnknownRowFormat};
pub use encoder::RowEncoder;

#[cfg(test)]
mod tests;
