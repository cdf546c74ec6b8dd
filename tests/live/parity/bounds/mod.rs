//! Bounded caches: the features and faults of `redis_func_cache`, and the duties of every cache.

mod clear;
mod cluster;
mod functions;
mod life;
mod modes;
mod nested;
mod order;
mod outage;
mod races;
mod room;
mod shrink;
mod skips;
mod stats;
mod together;
mod values;
