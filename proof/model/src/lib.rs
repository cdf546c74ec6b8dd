#![doc = include_str!("../README.md")]

mod action;
mod check;
mod follower;
mod index;
mod model;
mod part;
mod reader;
mod redis;
mod setting;
mod source;
mod tagged;
mod tagger;
#[cfg(test)]
mod tests;
mod world;
mod writer;

pub use check::{Finding, Found, Step, check};
pub use part::Part;
pub use setting::{Faults, Setting, Tagging};
