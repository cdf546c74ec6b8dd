//! The settings of sessions, and what each connection says first because of them, and again after a reset.

use mrc_core::KeyFormat;

use super::config::{COLLATION, MySqlConfig};
use super::failure::refuse;
use crate::driver::time_limit;
use crate::error::ExecuteError;

/// As mysql2 sets it.
const COLLATION_OF_TYPESCRIPT: &str = "utf8mb4_unicode_ci";

/// Sessions. Services that share entries must agree on these settings.
impl MySqlConfig {
    /// Sets the session as a peer's driver does: [`collation`](Self::collation) and [`ignore_space`](Self::ignore_space).
    /// Later setters override it. Default: as `Python`.
    ///
    /// | | driver | collation | `IGNORE_SPACE` |
    /// |---|---|---|---|
    /// | [`KeyFormat::TypeScript`] | mysql2 | `utf8mb4_unicode_ci` | yes |
    /// | [`KeyFormat::Python`] | aiomysql | `utf8mb4_general_ci` | no |
    ///
    /// All other settings are the server's, as the peers leave them. One differs: a session of the Python peer begins without
    /// autocommit, and ours must have it.
    #[must_use]
    pub fn session_of(self, peer: KeyFormat) -> Self {
        let is_typescript = peer == KeyFormat::TypeScript;
        self.collation(if is_typescript { COLLATION_OF_TYPESCRIPT } else { COLLATION }).ignore_space(is_typescript)
    }

    /// Sets the collation in which the server compares texts of a statement with each other. It must be one of `utf8mb4`.
    /// Default: `utf8mb4_general_ci`.
    #[must_use]
    pub fn collation(mut self, name: impl Into<String>) -> Self {
        self.collation = name.into();
        self
    }

    /// Sets the time zone of each session, such as `+00:00`. `TIMESTAMP` columns and `NOW()` depend on it.
    /// Default: the server's.
    #[must_use]
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        self.time_zone = Some(zone.into());
        self
    }

    /// Sets the `sql_mode` of each session, such as `ANSI_QUOTES,STRICT_TRANS_TABLES`. Default: the server's.
    #[must_use]
    pub fn sql_mode(mut self, modes: impl Into<String>) -> Self {
        self.sql_mode = Some(modes.into());
        self
    }

    /// Adds `IGNORE_SPACE` to the `sql_mode` of each session. Default: false, which leaves the `sql_mode` as it is.
    ///
    /// With it `COUNT (*)` calls the built-in function, and a text that says so may be cached. Without it servers look for a
    /// stored function of this name, so a cached read must write `COUNT(*)`.
    #[must_use]
    pub fn ignore_space(mut self, ignore: bool) -> Self {
        self.ignore_space = ignore;
        self
    }

    /// Whether the server refuses, with error 1792, what a cached read would write: a stored function that inserts, say.
    /// Default: true.
    ///
    /// Sessions of cached reads begin with `SET SESSION TRANSACTION READ ONLY`. With `false`, a cached `CALL` of a procedure
    /// that fills a temporary table works, and so does a proxy that sends read-only sessions to replicas. Then only the check
    /// of the text keeps writes out of cached reads.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }
}

impl MySqlConfig {
    /// What sessions of cached reads say. They stay as they began.
    pub(super) fn setup_of_reads(&self) -> Result<String, ExecuteError> {
        let read_only = if self.read_only { "; SET SESSION TRANSACTION READ ONLY" } else { "" };
        Ok(self.setup()? + read_only)
    }

    /// What all sessions say.
    pub(super) fn setup(&self) -> Result<String, ExecuteError> {
        let mut text = format!(
            "SET autocommit = 1, NAMES utf8mb4 COLLATE {}",
            word("collation", &self.collation, |ch| ch == '_')?
        );
        if let Some(zone) = &self.time_zone {
            text += &format!(", time_zone = '{}'", word("time_zone", zone, |ch| "_+-:/".contains(ch))?);
        }
        let modes = match self.sql_mode.as_deref() {
            None => None,
            Some("") => Some("''".into()),
            Some(modes) => Some(format!("'{}'", word("sql_mode", modes, |ch| "_,".contains(ch))?)),
        };
        text += &match (modes, self.ignore_space) {
            (None, false) => String::new(),
            (Some(modes), false) => format!(", sql_mode = {modes}"),
            (modes, true) => {
                let others = modes.as_deref().unwrap_or("@@sql_mode");
                format!(", sql_mode = CONCAT_WS(',', NULLIF({others}, ''), 'IGNORE_SPACE')")
            }
        };
        Ok(text + &time_limit(self.query_timeout))
    }
}

/// Chooses the database again: a reset leaves it as it was.
pub(super) fn use_database(name: Option<&str>) -> String {
    name.map(|name| format!("; USE `{}`", name.replace('`', "``"))).unwrap_or_default()
}

/// A setting that stands in a statement.
fn word<'a>(name: &str, value: &'a str, also: impl Fn(char) -> bool) -> Result<&'a str, ExecuteError> {
    let fits = !value.is_empty() && value.chars().all(|ch| ch.is_ascii_alphanumeric() || also(ch));
    fits.then_some(value).ok_or_else(|| refuse(format!("{name} {value:?} can't be one: see the server's manual")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_in_the_first_statement() {
        let check = |config: MySqlConfig, expected: &str| {
            let text = config.setup().unwrap();
            assert!(text.contains(expected), "{text}");
        };
        let config = MySqlConfig::new;
        check(config(), "NAMES utf8mb4 COLLATE utf8mb4_general_ci /*");
        check(config().time_zone("Europe/Berlin").sql_mode(""), "time_zone = 'Europe/Berlin', sql_mode = '' /*");
        check(config().sql_mode("ANSI_QUOTES"), "sql_mode = 'ANSI_QUOTES' /*");
        check(config().ignore_space(true), "CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'IGNORE_SPACE')");
        check(config().ignore_space(true).sql_mode("ANSI"), "CONCAT_WS(',', NULLIF('ANSI', ''), 'IGNORE_SPACE')");
        check(config().session_of(KeyFormat::TypeScript), "COLLATE utf8mb4_unicode_ci, sql_mode = CONCAT_WS");
        check(config().ignore_space(true).session_of(KeyFormat::Python), "COLLATE utf8mb4_general_ci /*");
    }

    #[test]
    fn what_is_no_word_of_the_server_is_refused() {
        let refused = |config: MySqlConfig| config.setup().unwrap_err().to_string();
        assert!(refused(MySqlConfig::new().time_zone("+00:00'")).contains("time_zone"));
        assert!(refused(MySqlConfig::new().sql_mode("ANSI'")).contains("sql_mode"));
        assert!(refused(MySqlConfig::new().collation("")).contains("collation"));
    }
}
