//! The server: its stream of events, and the questions to it.

mod error;
mod session;
mod stream;
mod upto;

pub(crate) use error::SourceError;
pub(crate) use session::{QUESTION, Session};
pub(crate) use stream::{Stream, raw};
pub(crate) use upto::Upto;
