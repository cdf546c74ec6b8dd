#![doc = include_str!("../README.md")]

mod action;
mod check;
mod model;
mod part;
mod setting;
mod state;
mod step;
mod tagged;
#[cfg(test)]
mod tests;

pub use check::{Finding, Found, Step, check};
pub use part::Part;
pub use setting::{Faults, Setting, Tagging};
