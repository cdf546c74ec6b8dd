//! What sqlx's errors mean to a caller.

use std::error::Error as StdError;
use std::fmt;

use mrc_store::ExecuteError;
use mrc_store::driver::{is_passing, is_time_limit};
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

pub(crate) fn failed(error: Error) -> ExecuteError {
    match error {
        Error::PoolClosed => ExecuteError::Closed,
        Error::Configuration(_) | Error::Tls(_) => ExecuteError::Config(error.to_string()),
        Error::Database(_) => answered(error),
        Error::Protocol(ref text) => match unexpected(text) {
            Some(error) => error,
            None => ExecuteError::Unavailable(Box::new(error)),
        },
        Error::Io(_) | Error::PoolTimedOut | Error::WorkerCrashed => ExecuteError::Unavailable(Box::new(error)),
        _ => ExecuteError::Refused(Box::new(error)),
    }
}

fn answered(error: Error) -> ExecuteError {
    let Some(server) = server(&error) else { return ExecuteError::Refused(Box::new(error)) };
    let (code, state, message) = (server.number(), server.code().unwrap_or("HY000"), server.message());
    let text = format!("Server error: `ERROR {code} ({state}): {message}'");
    let is_passing = is_passing(code, message);
    let answer = Box::new(Answered { text, error });
    if is_passing { ExecuteError::Unavailable(answer) } else { ExecuteError::Refused(answer) }
}

/// What sqlx says of answers that it can't read, and of params that don't fit, has no type of its own.
fn unexpected(text: &str) -> Option<ExecuteError> {
    if text.contains("unknown column type 0xf2") {
        let why = "sqlx can't read the type VECTOR: select VECTOR_TO_STRING(…), or TO_BASE64(…)";
        return Some(ExecuteError::Refused(why.into()));
    }
    let numbers = text.split("prepared statement expected ").nth(1)?;
    let mut numbers = numbers.split(' ').filter_map(|word| word.parse().ok());
    Some(ExecuteError::ParamCount { placeholders: numbers.next()?, params: numbers.next()? })
}

fn server(error: &Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

pub(crate) fn refused(why: impl Into<String>) -> ExecuteError {
    ExecuteError::Refused(why.into().into())
}

/// Whether the whole answer was read, be it an error of the server's.
pub(crate) fn is_whole(done: &Result<(), ExecuteError>) -> bool {
    match done {
        Ok(()) | Err(ExecuteError::SeveralResults) => true,
        Err(ExecuteError::Refused(source)) => source.is::<Answered>(),
        Err(_) => false,
    }
}

/// Whether the server stopped the statement because of the limit that the session was set up with.
pub(crate) fn is_server_limit(error: &ExecuteError) -> bool {
    let ExecuteError::Refused(source) = error else { return false };
    let code =
        source.downcast_ref().and_then(|answered: &Answered| server(&answered.error)).map(MySqlDatabaseError::number);
    code.is_some_and(is_time_limit)
}

/// An error of the server, in the words of `MySqlExecutor`. Its source is sqlx's error.
#[derive(Debug)]
struct Answered {
    text: String,
    error: Error,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Answered {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqlx_says_without_a_type_is_read() {
        let text = "prepared statement expected 2 parameters but 1 parameters were provided (sqlx_mysql:1)";
        let error = failed(Error::Protocol(text.into()));
        assert!(matches!(error, ExecuteError::ParamCount { placeholders: 2, params: 1 }), "{error:?}");
        let error = failed(Error::Protocol("unknown column type 0xf2 (sqlx_mysql:1)".into()));
        assert!(error.to_string().contains("VECTOR_TO_STRING"), "{error}");
        assert!(failed(Error::Protocol("unexpected packet".into())).is_retryable());
        assert!(matches!(failed(Error::PoolClosed), ExecuteError::Closed));
    }
}
