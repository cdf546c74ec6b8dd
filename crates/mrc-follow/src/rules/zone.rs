//! The time zone of `TIMESTAMP` values.

use std::fmt;
use std::str::FromStr;

use mrc_core::{Date, DateTime};

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
