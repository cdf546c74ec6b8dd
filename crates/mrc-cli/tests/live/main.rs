//! Runs the binary `mrc` like its users.
#![cfg(test)]

mod demo;
mod explain;
mod follow;
mod input;
mod jsonl;
mod run;
mod servers;
mod stats;
mod tags;
