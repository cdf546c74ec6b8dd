//! The suites that every backend passes, public so that your own backend can run them.
//!
//! A broken rule panics with its name, like an assertion in a test.

pub mod executor;
pub mod store;
