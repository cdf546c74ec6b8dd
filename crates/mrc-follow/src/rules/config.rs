//! The settings of a follower and its rules, in TOML, and the time zone of `TIMESTAMP` values.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use mrc_core::{Date, DateTime};
use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use super::{Rule, RuleError, Rules};

/// The settings of a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowConfig {
    /// The name under which it keeps its position: letters, digits, `_`, `-`, `.`; at most 64.
    pub name: String,
    /// The number that it has among the replicas of the server. No other replica may have it.
    pub server_id: NonZeroU32,
    /// Whether all tables with registered schemes are followed, without rules. Default: false.
    pub auto: bool,
    /// How long the follower that stopped keeps a second one of this name waiting, from 0.5 s to
    /// 60 s. Default: 1.5 s.
    pub lease: Duration,
}

/// A text that isn't the settings of a follower.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value that a key can't have. The text names the line.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A setting can't be used. The text names it and the fix.
    #[error("{0}")]
    Setting(&'static str),
    /// A rule can't be used.
    #[error("line {line}: {source}")]
    Rule {
        /// The line of its `[[rule]]`, from 1.
        line: usize,
        /// The problem, and its fix.
        source: RuleError,
    },
    /// There is no rule, and `auto` isn't set.
    #[error("nothing would be invalidated: write `auto = true`, or add a [[rule]] for each table to follow")]
    NoRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    follow: Follow,
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Follow {
    #[serde(deserialize_with = "name")]
    name: String,
    server_id: NonZeroU32,
    #[serde(default)]
    auto: bool,
    #[serde(default)]
    time_zone: TimeZone,
    #[serde(default = "lease_default", deserialize_with = "lease")]
    lease_ms: Duration,
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    check_name(&name).map_err(D::Error::custom)?;
    Ok(name)
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if (1..=64).contains(&name.len()) && name.bytes().all(is_known) {
        return Ok(());
    }
    Err("`name` must have 1 to 64 letters, digits, `_`, `-` or `.`, such as \"shop\"")
}

fn lease_default() -> Duration {
    FollowConfig::LEASE
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match i64::deserialize(deserializer)? {
        millis @ 500..=60_000 => Ok(Duration::from_millis(millis.unsigned_abs())),
        _ => Err(D::Error::custom("`lease_ms` must be from 500 to 60000 milliseconds")),
    }
}

impl FollowConfig {
    /// The default life of the lease: 1.5 s, so that a successor leads within 2 s.
    pub const LEASE: Duration = Duration::from_millis(1_500);

    /// Returns the settings of a follower with this name and this number, and the defaults.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting and the fix.
    pub fn new(name: impl Into<String>, server_id: u32) -> Result<Self, ConfigError> {
        let (name, server_id) = (name.into(), NonZeroU32::new(server_id));
        let server_id = server_id.ok_or(ConfigError::Setting("`server_id` must be from 1 to 4294967295"))?;
        check_name(&name).map_err(ConfigError::Setting)?;
        Ok(Self { name, server_id, auto: false, lease: Self::LEASE })
    }

    /// Reads the settings, and the rules with the setting `time_zone`.
    ///
    /// # Errors
    /// [`ConfigError`] names the line, the key, and the fix.
    pub fn from_toml(text: &str) -> Result<(Self, Rules), ConfigError> {
        let File { follow, rule: spans } = toml::from_str(text)?;
        let mut rules = Rules::default().time_zone(follow.time_zone);
        for rule in spans {
            let start = rule.span().start;
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            rules.rules.push(rule.into_inner().check().map_err(|source| ConfigError::Rule { line, source })?);
        }
        if rules.is_empty() && !follow.auto {
            return Err(ConfigError::NoRules);
        }
        let Follow { name, server_id, auto, lease_ms, .. } = follow;
        Ok((Self { name, server_id, auto, lease: lease_ms }, rules))
    }
}

/// A fixed distance from UTC. Default: UTC.
///
/// ```
/// use mrc_follow::rules::TimeZone;
///
/// assert_eq!("-08:30".parse::<TimeZone>()?.to_string(), "-08:30");
/// assert_eq!("UTC".parse::<TimeZone>()?, TimeZone::UTC);
/// # Ok::<(), mrc_follow::rules::TimeZoneError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone {
    minutes: i16,
}

/// The text isn't a time zone that rules know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time zone is \"UTC\", or a fixed offset such as \"+01:00\", from \"-14:00\" to \"+14:00\"")]
pub struct TimeZoneError;

impl TimeZone {
    /// UTC.
    pub const UTC: Self = Self { minutes: 0 };

    /// Returns the date and time of a moment. `seconds` count from 1970 in UTC; 0 is the zero date.
    pub(super) fn local(self, seconds: u32, micros: u32) -> Option<DateTime> {
        if seconds == 0 && micros == 0 {
            return Date::new(0, 0, 0).ok()?.at(0, 0, 0, 0).ok();
        }
        let seconds = i64::from(seconds) + i64::from(self.minutes) * 60;
        let part = |number: i64| u8::try_from(number).ok();
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let date = Date::new(u16::try_from(year).ok()?, part(month)?, part(day)?).ok()?;
        date.at(part(second / 3600)?, part(second / 60 % 60)?, part(second % 60)?, micros).ok()
    }
}

/// Returns year, month and day of the day that is so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // The year begins in March here, so that a leap day is its last day.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        if text == "UTC" {
            return Ok(Self::UTC);
        }
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(TimeZoneError),
        };
        let number = |part: &str| match part.as_bytes() {
            [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Ok(i16::from(a - b'0') * 10 + i16::from(b - b'0')),
            _ => Err(TimeZoneError),
        };
        let (hours, minutes) = rest.split_once(':').ok_or(TimeZoneError)?;
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let total = hours * 60 + minutes;
        if minutes > 59 || total > 14 * 60 { Err(TimeZoneError) } else { Ok(Self { minutes: sign * total }) }
    }
}

impl TryFrom<String> for TimeZone {
    type Error = TimeZoneError;

    fn try_from(text: String) -> Result<Self, TimeZoneError> {
        text.parse()
    }
}

impl fmt::Display for TimeZone {
    /// Writes `+01:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.minutes < 0 { '-' } else { '+' }, self.minutes.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}
