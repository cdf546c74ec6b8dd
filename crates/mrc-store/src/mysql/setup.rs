//! The session settings, which each connection sends after connecting and after a reset.

use mrc_core::KeyFormat;

use super::config::{COLLATION, MySqlConfig};
use super::failure::refuse;
use crate::driver::time_limit;
use crate::error::ExecuteError;

/// The collation that mysql2 sets.
const COLLATION_OF_TYPESCRIPT: &str = "utf8mb4_unicode_ci";

/// Sessions. Services that share entries must use the same settings here.
impl MySqlConfig {
    /// Sets the session like a peer's driver, by [`collation`](Self::collation) and
    /// [`ignore_space`](Self::ignore_space). Later setters override it. Default: as `Python`.
    ///
    /// | | driver | collation | `IGNORE_SPACE` |
    /// |---|---|---|---|
    /// | [`KeyFormat::TypeScript`] | mysql2 | `utf8mb4_unicode_ci` | yes |
    /// | [`KeyFormat::Python`] | aiomysql | `utf8mb4_general_ci` | no |
    ///
    /// All other settings are the server's, except that autocommit is on: the Python peer has none.
    pub fn session_of(self, peer: KeyFormat) -> Self {
        let is_typescript = peer == KeyFormat::TypeScript;
        self.collation(if is_typescript { COLLATION_OF_TYPESCRIPT } else { COLLATION }).ignore_space(is_typescript)
    }

    /// Sets the collation for comparing texts within a statement, one of `utf8mb4`. Default:
    /// `utf8mb4_general_ci`.
    pub fn collation(self, name: impl Into<String>) -> Self {
        Self { collation: name.into(), ..self }
    }

    /// Sets the time zone of each session, such as `+00:00`, for `TIMESTAMP` columns and `NOW()`.
    /// Default: the server's.
    pub fn time_zone(self, zone: impl Into<String>) -> Self {
        Self { time_zone: Some(zone.into()), ..self }
    }

    /// Sets each session's `sql_mode`, such as `ANSI_QUOTES`. Default: the server's.
    pub fn sql_mode(self, modes: impl Into<String>) -> Self {
        Self { sql_mode: Some(modes.into()), ..self }
    }

    /// Adds `IGNORE_SPACE` to the `sql_mode` of each session. Default: false, which adds nothing.
    ///
    /// With it `COUNT (*)` calls the built-in function and may be cached. Without it the server
    /// looks for a stored function of that name, so a cached read must write `COUNT(*)`.
    pub fn ignore_space(self, ignore: bool) -> Self {
        Self { ignore_space: ignore, ..self }
    }

    /// Sets whether the server refuses writes of cached reads with error 1792. Default: true.
    ///
    /// Sessions of cached reads then begin with `SET SESSION TRANSACTION READ ONLY`. `false` allows
    /// a cached `CALL` that fills a temporary table, and proxies that send read-only sessions to
    /// replicas. Then only the check of the text prevents writes in cached reads.
    pub fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }
}

impl MySqlConfig {
    /// Returns the setup of sessions for cached reads. They are never reset.
    pub(super) fn setup_of_reads(&self) -> Result<String, ExecuteError> {
        let read_only = if self.read_only { "; SET SESSION TRANSACTION READ ONLY" } else { "" };
        Ok(self.setup()? + read_only)
    }

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

/// Selects the database again, because a reset doesn't.
pub(super) fn use_database(name: Option<&str>) -> String {
    name.map(|name| format!("; USE `{}`", name.replace('`', "``"))).unwrap_or_default()
}

/// Checks a setting that is written into a statement.
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
    fn unknown_words_for_the_server_are_refused() {
        let refused = |config: MySqlConfig| config.setup().unwrap_err().to_string();
        assert!(refused(MySqlConfig::new().time_zone("+00:00'")).contains("time_zone"));
        assert!(refused(MySqlConfig::new().sql_mode("ANSI'")).contains("sql_mode"));
        assert!(refused(MySqlConfig::new().collation("")).contains("collation"));
    }
}
