//! The steps: what each participant may do next, how it changes the world, and its words.

pub(crate) mod arrival;
pub(crate) mod binlog;
pub(crate) mod calls;
mod cluster;
pub(crate) mod fault;
pub(crate) mod process;
pub(crate) mod reader;
mod source;
pub(crate) mod tagger;
pub(crate) mod writer;
