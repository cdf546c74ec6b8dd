//! The steps: what each participant may do next, how it changes the world, and its words.

pub(crate) mod arrival;
pub(crate) mod binlog;
mod calls;
mod cluster;
pub(crate) mod fault;
pub(crate) mod flight;
pub(crate) mod process;
pub(crate) mod reader;
pub(crate) mod reader_words;
mod replies;
mod source;
pub(crate) mod tagger;
pub(crate) mod went_back;
pub(crate) mod writer;
