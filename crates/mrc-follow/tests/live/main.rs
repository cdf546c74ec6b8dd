//! The follower on real servers.
#![cfg(test)]

mod follower;
