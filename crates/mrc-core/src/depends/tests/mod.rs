//! Texts and their tags, and rows and theirs.

mod properties;
mod reader;
mod rows;
