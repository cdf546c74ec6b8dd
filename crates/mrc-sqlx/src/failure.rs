//! Translates the errors of sqlx.

use mrc_store::ExecuteError;
use mrc_store::driver::server_error;
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
    let server: Option<&MySqlDatabaseError> = error.as_database_error().and_then(|error| error.try_downcast_ref());
    match server {
        Some(server) => server_error(server.number(), server.code().unwrap_or("HY000"), server.message()),
        None => ExecuteError::Refused(Box::new(error)),
    }
}

/// Reads the text: sqlx has no error type for unreadable answers, or for params that don't fit.
fn unexpected(text: &str) -> Option<ExecuteError> {
    if text.contains("unknown column type 0xf2") {
        let why = "sqlx can't read the type VECTOR: select VECTOR_TO_STRING(…), or TO_BASE64(…)";
        return Some(ExecuteError::Refused(why.into()));
    }
    let numbers = text.split("prepared statement expected ").nth(1)?;
    let mut numbers = numbers.split(' ').filter_map(|word| word.parse().ok());
    Some(ExecuteError::ParamCount { placeholders: numbers.next()?, params: numbers.next()? })
}

pub(crate) fn refused(why: impl Into<String>) -> ExecuteError {
    ExecuteError::Refused(why.into().into())
}

/// Returns whether the error is an answer of the server. Then the statement no longer runs.
pub(crate) fn is_answer(error: &ExecuteError) -> bool {
    error.server().is_some()
}

/// Returns whether the whole answer was read. A server's error is a whole answer.
pub(crate) fn is_whole<T>(done: &Result<T, ExecuteError>) -> bool {
    match done {
        Ok(_) | Err(ExecuteError::SeveralResults) => true,
        Err(error @ ExecuteError::Refused(_)) => is_answer(error),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_untyped_errors_of_sqlx_are_recognized() {
        let text = "prepared statement expected 2 parameters but 1 parameters were provided (sqlx_mysql:1)";
        let error = failed(Error::Protocol(text.into()));
        assert!(matches!(error, ExecuteError::ParamCount { placeholders: 2, params: 1 }), "{error:?}");
        let error = failed(Error::Protocol("unknown column type 0xf2 (sqlx_mysql:1)".into()));
        assert!(error.to_string().contains("VECTOR_TO_STRING"), "{error}");
        assert!(failed(Error::Protocol("unexpected packet".into())).is_retryable());
        assert!(matches!(failed(Error::PoolClosed), ExecuteError::Closed));
    }
}
