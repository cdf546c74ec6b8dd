#![doc = include_str!("../README.md")]

mod action;
mod check;
mod model;
mod part;
mod setting;
mod settings;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use check::{Finding, Found, Step, check};
pub use part::Part;
pub use setting::{Change, Faults, Setting, Tagging};
