//! Runs the binary `mrc` like its users.
#![cfg(test)]

mod demo;
mod explain;
mod follow;
mod input;
mod run;
mod servers;
mod tags;
