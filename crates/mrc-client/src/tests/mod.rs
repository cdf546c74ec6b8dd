//! The client on a database and a store that the tests control.

mod carried;
mod followed;
mod found;
mod hangs;
mod invalidation;
mod limits;
mod many;
mod nested;
mod outage;
mod path;
mod plain;
mod refresh;
mod refusal;
mod stale;
mod support;
mod values;
mod writing;
