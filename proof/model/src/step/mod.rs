//! The steps: what each participant may do next (`moves`), how it changes the world (`make`), and
//! its words. A reply counts only while its sender waits for it (`…_answered`).

pub(crate) mod arrival;
pub(crate) mod binlog;
pub(crate) mod calls;
pub(crate) mod fault;
pub(crate) mod process;
pub(crate) mod reader;
mod source;
pub(crate) mod tagger;
pub(crate) mod writer;
