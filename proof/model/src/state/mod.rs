//! The state of a run: plain data, and what each piece can do by itself.

pub(crate) mod binlog;
pub(crate) mod command;
pub(crate) mod flight;
pub(crate) mod floor;
pub(crate) mod index;
pub(crate) mod moment;
pub(crate) mod primaries;
pub(crate) mod process;
pub(crate) mod reader;
pub(crate) mod redis;
pub(crate) mod saved;
pub(crate) mod table;
pub(crate) mod tagger;
pub(crate) mod world;
pub(crate) mod writer;
