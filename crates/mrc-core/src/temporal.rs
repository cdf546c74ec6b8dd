//! Dates and times as MySQL has them: without a zone, with microseconds, and with the zero date.

use std::fmt;

/// A calendar date. Month and day may be zero, as MySQL's `0000-00-00` and `2025-00-00` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A date and a time of day, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// The calendar date.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
}

/// A time of day, or a span of time: MySQL's `TIME` runs from -838:59:59 to 838:59:59.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    /// Whether the whole span is negative.
    pub negative: bool,
    /// 0 to 838.
    pub hours: u16,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
}

/// A part of a date or a time is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} {given} is out of range: it must be at most {most}")]
pub struct TemporalError {
    part: &'static str,
    given: u32,
    most: u32,
}

fn within(part: &'static str, given: u32, most: u32) -> Result<(), TemporalError> {
    if given <= most { Ok(()) } else { Err(TemporalError { part, given, most }) }
}

impl Date {
    /// Returns a date with these parts.
    ///
    /// # Errors
    /// [`TemporalError`] when a part is out of range.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, TemporalError> {
        within("year", year.into(), 9999)?;
        within("month", month.into(), 12)?;
        within("day", day.into(), 31)?;
        Ok(Self { year, month, day })
    }

    /// Returns the date with a time of day.
    ///
    /// # Errors
    /// [`TemporalError`] when a part is out of range.
    pub fn at(self, hour: u8, minute: u8, second: u8, micros: u32) -> Result<DateTime, TemporalError> {
        within("hour", hour.into(), 23)?;
        within("minute", minute.into(), 59)?;
        within("second", second.into(), 59)?;
        within("microsecond", micros, 999_999)?;
        Ok(DateTime { date: self, hour, minute, second, micros })
    }

    pub(crate) const fn midnight(self) -> DateTime {
        DateTime { date: self, hour: 0, minute: 0, second: 0, micros: 0 }
    }

    /// Returns whether the month has this day.
    pub(crate) fn is_in_calendar(self) -> bool {
        (1..=12).contains(&self.month) && self.day > 0 && self.day <= days_in_month(self.year, self.month)
    }

    /// Returns the weekday, 0 for Sunday. Returns `None` if the day doesn't exist: `2025-02-30`.
    pub fn weekday(self) -> Option<usize> {
        if !self.is_in_calendar() {
            return None;
        }
        // Zeller's congruence counts March as the first month of the year.
        let (year, month) = if self.month < 3 {
            (usize::from(self.year) + 399, self.month + 12)
        } else {
            (usize::from(self.year) + 400, self.month)
        };
        let saturday_is_0 =
            usize::from(self.day) + (13 * (usize::from(month) + 1)) / 5 + year + year / 4 - year / 100 + year / 400;
        Some((saturday_is_0 + 6) % 7)
    }
}

pub(crate) fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    /// Writes `2025-01-15`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for DateTime {
    /// Writes `2025-01-15 10:30:00`, with six digits of microseconds if they aren't zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}:{:02}", self.date, self.hour, self.minute, self.second)?;
        if self.micros > 0 { write!(f, ".{:06}", self.micros) } else { Ok(()) }
    }
}

impl fmt::Display for Time {
    /// Writes `-12:34:56`, with six digits of microseconds if they aren't zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{:02}:{:02}:{:02}", self.hours, self.minutes, self.seconds)?;
        if self.micros > 0 { write!(f, ".{:06}", self.micros) } else { Ok(()) }
    }
}

impl Time {
    /// Returns a positive time with these parts.
    ///
    /// # Errors
    /// [`TemporalError`] when a part is out of range.
    pub fn new(hours: u16, minutes: u8, seconds: u8, micros: u32) -> Result<Self, TemporalError> {
        within("hours", hours.into(), 838)?;
        within("minutes", minutes.into(), 59)?;
        within("seconds", seconds.into(), 59)?;
        within("microseconds", micros, 999_999)?;
        Ok(Self { negative: false, hours, minutes, seconds, micros })
    }
}

impl std::ops::Neg for Time {
    type Output = Self;

    fn neg(self) -> Self {
        Self { negative: !self.negative, ..self }
    }
}
