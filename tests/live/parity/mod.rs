//! Features and faults of other libraries' function caches, with the numbers of
//! docs/internals/parity.md.

mod bounds;
mod clear;
mod codec;
mod config;
mod errors;
mod events;
mod keys;
mod life;
mod modes;
mod nested;
mod outage;
mod races;
mod scope;
mod support;
mod tags;
mod values;
