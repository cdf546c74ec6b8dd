//! The server: its stream of events, and the questions to it.

mod session;
mod stream;

use mrc_store::ExecuteError;

pub(crate) use session::{QUESTION, Session, Upto};
pub(crate) use stream::{Stream, raw};

/// Another replica has our `server_id`: MySQL by text, MariaDB by code.
const SAME_ID: (&str, u32) = ("same server_uuid/server_id", 4052);
/// The server can't send the log from the wanted position, and says why in its text.
const READING_LOG: u32 = 1236;

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The server has no log from this position on, or never had.
    #[error("{0}")]
    Lost(String),
    /// Another connection uses our `server_id`.
    #[error("another replica uses this server_id")]
    SameServerId,
    /// The connection broke, or the server is away: connect again.
    #[error("{0}")]
    Broken(String),
    /// An event isn't as the server wrote it: connect again, but not without end.
    #[error("{0}")]
    Corrupt(String),
    /// Nothing will change without a person.
    #[error(transparent)]
    Refused(ExecuteError),
}

impl From<ExecuteError> for SourceError {
    fn from(error: ExecuteError) -> Self {
        match error.server() {
            Some(server) if server.code == SAME_ID.1 || server.message.contains(SAME_ID.0) => Self::SameServerId,
            Some(server) if server.code == READING_LOG => Self::Lost(server.message.clone()),
            _ if error.is_retryable() => Self::Broken(error.to_string()),
            _ => Self::Refused(error),
        }
    }
}

impl From<mrc_store::mysql_async::Error> for SourceError {
    fn from(error: mrc_store::mysql_async::Error) -> Self {
        ExecuteError::from(error).into()
    }
}
