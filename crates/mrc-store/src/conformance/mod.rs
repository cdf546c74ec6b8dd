//! The suites that every backend passes, public so that a backend of your own can run them.
//!
//! A rule that is broken panics with its name, as an assertion of a test does.

pub mod executor;
pub mod store;
