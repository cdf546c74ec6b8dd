//! Texts and their tags, and rows and theirs.

mod explain;
mod properties;
mod reader;
mod rows;
