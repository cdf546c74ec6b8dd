//! Conversions from types of other crates, each behind a feature.
//!
//! A date whose year MySQL doesn't have (before 0 or after 9999) is bound as its text, which no
//! column equals. Fractions of a second finer than microseconds are cut off, since MySQL has none.

#[cfg(feature = "rust_decimal")]
use super::Decimal;
#[cfg(any(feature = "uuid", feature = "rust_decimal"))]
use super::{Element, Value};

#[cfg(feature = "chrono")]
mod chrono {
    use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};

    use super::made;
    use crate::value::{Element, Value};

    impl From<NaiveDate> for Value {
        fn from(date: NaiveDate) -> Self {
            made::date(date.year(), date.month(), date.day()).map_or_else(|| date.to_string().into(), Into::into)
        }
    }

    impl From<NaiveDateTime> for Value {
        fn from(at: NaiveDateTime) -> Self {
            let date = made::date(at.year(), at.month(), at.day());
            let made = made::at(date, at.hour(), at.minute(), at.second(), at.nanosecond());
            made.map_or_else(|| at.to_string().into(), Into::into)
        }
    }

    impl<Z: TimeZone> From<DateTime<Z>> for Value {
        fn from(at: DateTime<Z>) -> Self {
            at.naive_utc().into()
        }
    }

    impl From<NaiveTime> for Value {
        fn from(time: NaiveTime) -> Self {
            made::time(time.hour(), time.minute(), time.second(), time.nanosecond())
        }
    }

    impl Element for NaiveDate {}
    impl Element for NaiveDateTime {}
    impl<Z: TimeZone> Element for DateTime<Z> {}
    impl Element for NaiveTime {}
}

#[cfg(feature = "time")]
mod time {
    use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

    use super::made;
    use crate::value::{Element, Value};

    impl From<Date> for Value {
        fn from(date: Date) -> Self {
            let made = made::date(date.year(), u8::from(date.month()).into(), date.day().into());
            made.map_or_else(|| date.to_string().into(), Into::into)
        }
    }

    impl From<PrimitiveDateTime> for Value {
        fn from(at: PrimitiveDateTime) -> Self {
            let date = made::date(at.year(), u8::from(at.month()).into(), at.day().into());
            let (hour, minute, second) = at.as_hms();
            let made = made::at(date, hour.into(), minute.into(), second.into(), at.nanosecond());
            made.map_or_else(|| at.to_string().into(), Into::into)
        }
    }

    impl From<OffsetDateTime> for Value {
        fn from(at: OffsetDateTime) -> Self {
            let utc = at.to_offset(UtcOffset::UTC);
            PrimitiveDateTime::new(utc.date(), utc.time()).into()
        }
    }

    impl From<Time> for Value {
        fn from(time: Time) -> Self {
            made::time(time.hour().into(), time.minute().into(), time.second().into(), time.nanosecond())
        }
    }

    impl Element for Date {}
    impl Element for PrimitiveDateTime {}
    impl Element for OffsetDateTime {}
    impl Element for Time {}
}

#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for Value {
    /// Converts to the text with hyphens, as `CHAR(36)` and MariaDB's `UUID` have it. For a
    /// `BINARY(16)` bind `uuid.as_bytes().to_vec()`.
    fn from(uuid: uuid::Uuid) -> Self {
        uuid.to_string().into()
    }
}

#[cfg(feature = "uuid")]
impl Element for uuid::Uuid {}

#[cfg(feature = "rust_decimal")]
impl From<rust_decimal::Decimal> for Value {
    /// Keeps all digits, zeros at the end included.
    fn from(decimal: rust_decimal::Decimal) -> Self {
        Decimal::new(decimal.to_string()).map_or_else(|_| decimal.to_string().into(), Self::Decimal)
    }
}

#[cfg(feature = "rust_decimal")]
impl Element for rust_decimal::Decimal {}

#[cfg(any(feature = "chrono", feature = "time"))]
mod made {
    use crate::temporal::{Date, DateTime, Time};
    use crate::value::Value;

    pub(super) fn date(year: i32, month: u32, day: u32) -> Option<Date> {
        Date::new(u16::try_from(year).ok()?, small(month), small(day)).ok()
    }

    pub(super) fn at(date: Option<Date>, hour: u32, minute: u32, second: u32, nanos: u32) -> Option<DateTime> {
        date?.at(small(hour), small(minute), small(second), micros(nanos)).ok()
    }

    pub(super) fn time(hour: u32, minute: u32, second: u32, nanos: u32) -> Value {
        let (hours, minutes, seconds) = (small(hour).into(), small(minute), small(second));
        Value::Time(Time { negative: false, hours, minutes, seconds, micros: micros(nanos) })
    }

    /// Converts a month, a day, an hour, a minute or a second.
    fn small(part: u32) -> u8 {
        u8::try_from(part).unwrap_or(u8::MAX)
    }

    /// Cuts chrono's leap seconds, of more than 1,000,000,000 ns, to the second's end.
    fn micros(nanos: u32) -> u32 {
        (nanos / 1000).min(999_999)
    }
}

#[cfg(all(test, feature = "chrono", feature = "time", feature = "uuid", feature = "rust_decimal"))]
mod tests {
    use crate::Value;
    use crate::temporal::{Date, Time};

    #[test]
    fn other_crates_types_become_the_values_that_mysql_knows() {
        let day = Date::new(2025, 1, 15).unwrap();
        let at = Value::from(day.at(10, 30, 0, 123_456).unwrap());
        let noon = Value::from(Time::new(12, 0, 0, 0).unwrap());

        let chrono_day = chrono::NaiveDate::from_ymd_opt(2025, 1, 15).unwrap();
        let chrono_at = chrono_day.and_hms_nano_opt(10, 30, 0, 123_456_789).unwrap();
        assert_eq!((Value::from(chrono_day), Value::from(chrono_at)), (day.into(), at.clone()));
        let east = chrono::FixedOffset::east_opt(7200).unwrap();
        assert_eq!(Value::from(chrono_at.and_utc().with_timezone(&east)), at);
        assert_eq!(Value::from(chrono::NaiveTime::from_hms_opt(12, 0, 0).unwrap()), noon);
        let leap = chrono_day.and_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert_eq!(Value::from(leap), day.at(23, 59, 59, 999_999).unwrap().into());
        assert_eq!(Value::from(chrono::NaiveDate::MIN), "-262143-01-01".into());

        let time_day = time::Date::from_calendar_date(2025, time::Month::January, 15).unwrap();
        let time_at = time_day.with_hms_nano(10, 30, 0, 123_456_789).unwrap();
        assert_eq!((Value::from(time_day), Value::from(time_at)), (day.into(), at.clone()));
        let east = time::UtcOffset::from_hms(2, 0, 0).unwrap();
        assert_eq!(Value::from(time_at.assume_utc().to_offset(east)), at);
        assert_eq!(Value::from(time::Time::from_hms(12, 0, 0).unwrap()), noon);

        let uuid = uuid::Uuid::from_u128(0x1234);
        assert_eq!(Value::from(uuid), "00000000-0000-0000-0000-000000001234".into());
        assert_eq!(Value::from([uuid]), Value::List(vec![Value::from(uuid)]));
        let decimal = crate::Decimal::new("10.50").unwrap();
        assert_eq!(Value::from(rust_decimal::Decimal::new(1050, 2)), decimal.into());
    }
}
