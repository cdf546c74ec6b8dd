//! Caches with a bound: what `redis_func_cache` does, what it gets wrong, and what every cache must do.

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
mod support;
mod together;
mod values;
