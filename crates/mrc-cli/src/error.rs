//! The errors, and the exit code of each.

use mrc::errors::{DropError, ExecuteError, KeyError, StoreError};
use mrc::follow::FollowError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no value under {key}")]
    NoValue { key: String },
    #[error("the cache has no position of a follower named {name:?}")]
    NoPosition { name: String },
    #[error("{errors}: mend these first")]
    Unfit { errors: String },
    #[error("{0}")]
    Usage(String),
    #[error("line {line}: {message}")]
    Line { line: u64, message: String },
    #[error("{0}")]
    Database(String),
    #[error("{0}")]
    Cache(String),
    #[error("{0}")]
    Other(String),
    #[error("{0}")]
    LeaseTaken(String),
    #[error("{0}")]
    ServerIdTaken(String),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Returns the `kind` of `--json`, and the exit code, as `mrc --help` documents it.
    pub(crate) fn kind_and_code(&self) -> (&'static str, u8) {
        match self {
            Self::NoValue { .. } => ("no_value", 1),
            Self::NoPosition { .. } => ("no_position", 1),
            Self::Unfit { .. } => ("unfit", 1),
            Self::Usage(_) => ("usage", 2),
            Self::Line { .. } => ("input", 2),
            Self::Database(_) => ("database", 3),
            Self::Cache(_) => ("cache", 4),
            Self::Other(_) => ("other", 5),
            Self::LeaseTaken(_) => ("lease_taken", 6),
            Self::ServerIdTaken(_) => ("server_id_taken", 7),
            Self::Interrupted => ("interrupted", 130),
        }
    }
}

impl From<mrc::Error> for Failure {
    fn from(error: mrc::Error) -> Self {
        match &error {
            mrc::Error::Config(_) => Self::Usage(error.to_string()),
            mrc::Error::NotCacheable(refused) => Self::Usage(format!(
                "--sql: {}: {}",
                refused.reason(),
                refused.advice("--no-cache", "--trust-read-only")
            )),
            mrc::Error::Key(error) => error.into(),
            mrc::Error::Tag(error) => Self::Usage(format!("--tag: {error}")),
            mrc::Error::Ttl(error) => Self::Usage(format!("--ttl: {error}")),
            mrc::Error::NoDatabase => Self::Usage("give the database by --mysql or MRC_MYSQL_URL".into()),
            mrc::Error::Database(error) => error.as_ref().into(),
            mrc::Error::Store(error) => error.as_ref().into(),
            // The cache has its own time-outs, so a deadline comes from the database.
            mrc::Error::Deadline { .. } | mrc::Error::Overloaded { .. } => Self::Database(error.to_string()),
            mrc::Error::Drop(_) => Self::Cache(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<&KeyError> for Failure {
    fn from(error: &KeyError) -> Self {
        Self::Usage(match error {
            KeyError::NotFinite { name } | KeyError::EmptyList { name } | KeyError::NestedList { name } => {
                format!("--param {name}: {error}")
            }
            _ => format!("--param: {error}"),
        })
    }
}

impl From<&ExecuteError> for Failure {
    fn from(error: &ExecuteError) -> Self {
        match error {
            ExecuteError::Config(_) => Self::Usage(format!("--mysql: {error}")),
            ExecuteError::ParamCount { .. } | ExecuteError::Param { .. } => Self::Usage(format!("--param: {error}")),
            ExecuteError::Cell { .. } | ExecuteError::Row(_) => Self::Database(format!("--sql: {error}")),
            ExecuteError::Unavailable(_) => Self::Database(format!("--mysql: {error}")),
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Config(_) => Self::Usage(format!("--redis: {error}")),
            StoreError::Tag(_) => Self::Usage(error.to_string()),
            StoreError::Unavailable(_) => Self::Cache(format!("--redis: {error}")),
            _ => Self::Cache(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<DropError> for Failure {
    fn from(error: DropError) -> Self {
        match error {
            DropError::Pattern(error) => Self::Usage(format!("NAME=VALUE: {error}")),
            DropError::Tag(error) => Self::Usage(format!("TAG: {error}")),
            DropError::SubstringByIndex => {
                Self::Usage("--substring needs --by scan or --by both, because the index has whole params only".into())
            }
            DropError::Interrupted { source: source @ (StoreError::Config(_) | StoreError::Tag(_)), .. } => {
                source.into()
            }
            DropError::Interrupted { source: StoreError::Unavailable(_), .. } => {
                Self::Cache(format!("--redis: {error}"))
            }
            error => Self::Cache(error.to_string()),
        }
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Config(_) => Self::Usage(format!("--config: {error}")),
            FollowError::Position(_) => Self::Usage(format!("--from: {error}")),
            FollowError::ServerIdTaken(_) => Self::ServerIdTaken(error.to_string()),
            FollowError::LeaseTaken(_) => Self::LeaseTaken(error.to_string()),
            FollowError::Database(error) => error.into(),
            FollowError::Store(error) => error.into(),
            _ => Self::Database(error.to_string()),
        }
    }
}

/// Removes the text between `://` and `@`: the user and the password of a URL.
pub(crate) fn redact(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|char: char| char.is_whitespace() || matches!(char, '\'' | '"' | '`')).unwrap_or(part.len());
        let (url, rest) = part.split_at(end);
        out.push_str("://");
        match url.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str("…@");
                out.push_str(host);
            }
            None => out.push_str(url),
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_before_a_host_is_left_out() {
        let check = |text: &str, expect: &str| assert_eq!(redact(text), expect);
        check("nothing to hide", "nothing to hide");
        check("'redis://:s3cr@et@host:1' is", "'redis://…@host:1' is");
        check("mysql://u:p@h/db and redis://h", "mysql://…@h/db and redis://h");
    }

    #[test]
    fn a_refused_statement_points_to_a_flag() {
        for sql in [
            "UPDATE t SET a = 1",
            "SELECT a FROM t FOR UPDATE",
            "SELECT db.f(1)",
            "SELECT 1; SELECT 2",
            "SELECT RAND()",
        ] {
            let refused = mrc::key::statement::check(sql).unwrap_err();
            let Failure::Usage(message) = mrc::Error::from(refused).into() else { panic!("{sql}") };
            assert!(message.starts_with("--sql: ") && message.contains("--no-cache"), "{message}");
            assert!(!message.contains("MrcClient") && !message.contains("trust_read_only()"), "{message}");
        }
    }
}
