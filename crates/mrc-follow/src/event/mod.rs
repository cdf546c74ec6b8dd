//! The events of a binlog: bytes to tables, rows and transactions. Pure, without I/O.

mod cell;
mod table;

pub use cell::{Cell, Change, Image};
pub use table::{Column, ColumnType, Table};
