//! The configuration from a URL.

use std::str::FromStr;
use std::time::Duration;

use mrc_core::KeyFormat;
use mysql_async::Opts;
use url::Url;

use super::config::MySqlConfig;
use super::failure::refuse;
use super::params::ParamMode;
use super::tls::{MODES, Pem};
use crate::error::ExecuteError;

const KNOWN: &str = "pool_min, pool_max, acquire_timeout, connect_timeout, query_timeout, idle_timeout, \
                     statement_cache, tls, tls_ca, tls_cert, tls_key, socket, prefer_socket, session, collation, \
                     time_zone, sql_mode, ignore_space, read_only, param_mode";

impl MySqlConfig {
    /// Reads `mysql://user:password@host:port/database?name=value&…`, also with `mariadb://`.
    ///
    /// The parameters are named like the setters: `pool_min`, `pool_max`, `acquire_timeout`,
    /// `connect_timeout`, `query_timeout` and `idle_timeout` (seconds, such as `2.5`),
    /// `statement_cache`, `tls` (`off`, `unverified`, `verify_ca`, or `verify_identity` alias
    /// `required`), `tls_ca`, `tls_cert` and `tls_key` (paths of PEM files), `socket` (a path),
    /// `prefer_socket` (`true` or `false`), `session` (`typescript` or `python`: see
    /// [`session_of`](Self::session_of)), `collation`, `time_zone` (`%2B00:00` for `+00:00`),
    /// `sql_mode`, `ignore_space` and `read_only` (`true` or `false`), and `param_mode` (`auto`,
    /// `prepared` or `text`: see [`ParamMode`]). Percent-encode special characters in user,
    /// password and database: `%40` for `@`.
    ///
    /// # Errors
    /// [`ExecuteError::Config`]: the URL can't be read, a parameter is unknown, or a value is
    /// invalid. No error shows the password.
    pub fn from_url(url: &str) -> Result<Self, ExecuteError> {
        let shape = |reason: String| {
            refuse(format!(
                "the URL can't be read ({reason}): write mysql://user:password@host:3306/database, \
                 with special characters percent-encoded"
            ))
        };
        let mut url = Url::parse(url).map_err(|error| shape(error.to_string()))?;
        if url.fragment().is_some() {
            return Err(shape("it has a `#`".into()));
        }
        if url.scheme() == "mariadb" && url.set_scheme("mysql").is_err() {
            return Err(shape("its scheme is unknown".into()));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        // The driver decodes the parts. It doesn't get the URL, because it would block on DNS.
        let opts = Opts::from_url(url.as_str()).map_err(|error| shape(error.to_string()))?;
        let host = opts.ip_or_hostname();
        let mut config = Self {
            host: host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).into(),
            port: opts.tcp_port(),
            user: opts.user().map(Into::into),
            password: opts.pass().map(Into::into),
            database: opts.db_name().filter(|name| !name.is_empty()).map(Into::into),
            ..Self::default()
        };
        // The other parameters override it, in any order.
        let (session, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "session");
        for (name, value) in session.into_iter().chain(others) {
            config.set(&name, &value)?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ExecuteError> {
        match name {
            "pool_min" => self.pool_min = number(name, value)?,
            "pool_max" => self.pool_max = number(name, value)?,
            "statement_cache" => self.statement_cache = number(name, value)?,
            "acquire_timeout" => self.acquire_timeout = seconds(name, value)?,
            "connect_timeout" => self.connect_timeout = seconds(name, value)?,
            "query_timeout" => self.query_timeout = seconds(name, value)?,
            "idle_timeout" => self.idle_timeout = seconds(name, value)?,
            "socket" => self.socket = Some(value.into()),
            "prefer_socket" => self.prefer_socket = one_of(name, value, BOOL)?,
            "session" => *self = self.clone().session_of(one_of(name, value, PEERS)?),
            "collation" => self.collation = value.into(),
            "time_zone" => self.time_zone = Some(value.into()),
            "sql_mode" => self.sql_mode = Some(value.into()),
            "ignore_space" => self.ignore_space = one_of(name, value, BOOL)?,
            "read_only" => self.read_only = one_of(name, value, BOOL)?,
            "param_mode" => self.param_mode = one_of(name, value, PARAM_MODES)?,
            "tls" => self.tls.mode = Some(one_of(name, value, MODES)?),
            "tls_ca" => self.tls.ca = Some(Pem::File(value.into())),
            "tls_cert" => self.tls.cert = Some(Pem::File(value.into())),
            "tls_key" => self.tls.key = Some(Pem::File(value.into())),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

/// An unencoded `?` in a password makes its rest a parameter: show only what looks like a name.
fn unknown(name: &str) -> ExecuteError {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let name = if is_name { format!("`{name}`") } else { "one that is no name (is a `?` not encoded?)".into() };
    refuse(format!("unknown URL parameter {name}: known are {KNOWN}"))
}

fn number(name: &str, value: &str) -> Result<usize, ExecuteError> {
    value.parse().map_err(|_| refuse(format!("URL parameter `{name}` must be a whole number")))
}

fn seconds(name: &str, value: &str) -> Result<Duration, ExecuteError> {
    f64::from_str(value)
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| refuse(format!("URL parameter `{name}` must be a number of seconds, such as 2.5")))
}

const BOOL: [(&str, bool); 2] = [("true", true), ("false", false)];
const PARAM_MODES: [(&str, ParamMode); 3] =
    [("auto", ParamMode::Auto), ("prepared", ParamMode::Prepared), ("text", ParamMode::Text)];
const PEERS: [(&str, KeyFormat); 2] = [("typescript", KeyFormat::TypeScript), ("python", KeyFormat::Python)];

fn one_of<T: Copy, const N: usize>(name: &str, value: &str, words: [(&str, T); N]) -> Result<T, ExecuteError> {
    words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        refuse(format!("URL parameter `{name}` must be {}", words.join(" or ")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tls::TlsMode;
    use super::*;

    fn read(url: &str) -> MySqlConfig {
        MySqlConfig::from_url(url).unwrap()
    }

    fn refused(url: &str) -> String {
        let error = MySqlConfig::from_url(url).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        error
    }

    #[test]
    fn the_parts_are_decoded() {
        let config = read("mysql://sh%40p:hunter%2F2@db.internal:3307/shop%2Dx");
        assert_eq!((config.host.as_str(), config.port), ("db.internal", 3307));
        assert_eq!(config.user.as_deref(), Some("sh@p"));
        assert_eq!(config.password.as_deref(), Some("hunter/2"));
        assert_eq!(config.database.as_deref(), Some("shop-x"));
        assert_eq!(read("mariadb://[::1]/").host, "::1");
        assert_eq!((read("mysql://h").port, read("mysql://h/").database), (3306, None));
    }

    #[test]
    fn pool_max_alone_is_enough() {
        let config = read("mysql://h/d?pool_max=5");
        assert_eq!((config.pool_min, config.pool_max), (0, 5));
        assert!(config.opts_for_reads().is_ok());
    }

    #[test]
    fn every_known_parameter_is_read() {
        let config = read(
            "mysql://h/d?pool_min=1&pool_max=2&acquire_timeout=0.5&connect_timeout=2&query_timeout=2.5&idle_timeout=9\
             &statement_cache=7&socket=/run/s&prefer_socket=true&tls=verify_ca&tls_ca=/ca.pem&tls_cert=/c&tls_key=/k\
             &collation=utf8mb4_bin&time_zone=%2B02:00&sql_mode=ANSI_QUOTES&read_only=false&session=typescript",
        );
        assert_eq!((config.pool_min, config.pool_max, config.statement_cache), (1, 2, 7));
        assert_eq!(config.acquire_timeout, Duration::from_millis(500));
        assert_eq!(config.query_timeout, Duration::from_millis(2500));
        assert_eq!((config.connect_timeout, config.idle_timeout), (Duration::from_secs(2), Duration::from_secs(9)));
        assert!(config.prefer_socket && config.socket.is_some());
        assert_eq!(config.tls.mode, Some(TlsMode::VerifyCa));
        assert!([config.tls.ca, config.tls.cert, config.tls.key].iter().all(|pem| matches!(pem, Some(Pem::File(_)))));
        assert!(config.ignore_space && !read("mysql://h/d?ignore_space=false&session=typescript").ignore_space);
        assert_eq!(read("mysql://h/d?tls=required").tls.mode, Some(TlsMode::VerifyIdentity));
        assert_eq!((config.collation.as_str(), config.time_zone.as_deref()), ("utf8mb4_bin", Some("+02:00")));
        assert_eq!((config.sql_mode.as_deref(), config.read_only), (Some("ANSI_QUOTES"), false));
        assert_eq!(read("mysql://h/d").param_mode, ParamMode::Auto);
        for (word, mode) in PARAM_MODES {
            assert_eq!(read(&format!("mysql://h/d?param_mode={word}")).param_mode, mode);
        }
        for known in KNOWN.split(", ") {
            let error = MySqlConfig::default().set(known, "");
            assert!(!format!("{error:?}").contains("unknown"), "{known}");
        }
    }

    #[test]
    fn mistakes_are_named_and_the_password_is_not() {
        for (url, expected) in [
            ("mysql://u:hunter2@h/d?charset=utf8", "unknown URL parameter `charset`: known are pool"),
            ("mysql://u:hunter2@h/d?pool_max=hunter2", "`pool_max` must be a whole number"),
            ("mysql://u:hunter2@h/d?query_timeout=-1", "`query_timeout` must be a number of seconds"),
            ("mysql://u:hunter2@h/d?tls=hunter2", "`tls` must be off or unverified or verify_ca"),
            ("mysql://u:hunter2@h/d?param_mode=hunter2", "`param_mode` must be auto or prepared or text"),
            ("postgres://u:hunter2@h/d", "scheme"),
            ("mysql://u:hunter2#@h/d", "percent-encoded"),
            ("hunter2", "can't be read"),
        ] {
            assert!(refused(url).contains(expected), "{url}");
        }
        let unencoded = refused("mysql://u:1?hunter2@h/d");
        assert!(unencoded.contains("percent-encoded") || unencoded.contains("not encoded"));
        let shown = format!("{:?}", read("mysql://u:hunter2@h/d"));
        assert!(shown.contains("\"u\"") && !shown.contains("hunter2"), "{shown}");
    }
}
