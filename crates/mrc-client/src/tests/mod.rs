//! The pipeline on the memory store, with a database whose answers can be held back.

mod invalidation;
mod outage;
mod path;
mod refusal;
mod support;
