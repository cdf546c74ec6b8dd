use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

const FORMATS: [RowFormat; 3] = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];

#[derive(Deserialize, Debug, PartialEq)]
struct Named<T> {
    v: T,
}

fn read<'a, T: Deserialize<'a>>(json: &'a str, format: RowFormat) -> Result<Vec<T>, String> {
    let lenient = Vec::deserialize(RowsDeserializer::new(&mut serde_json::Deserializer::from_str(json), format));
    lenient.map_err(|error| error.to_string())
}

fn quickly<T: DeserializeOwned>(json: &str, format: RowFormat) -> Option<Vec<T>> {
    Vec::deserialize(RowsDeserializer::quick(&mut serde_json::Deserializer::from_str(json), format)).ok()
}

/// Checks that a column reads alike in each kind of row; a quick reading is the same or an error.
fn is<T: DeserializeOwned + PartialEq + Debug>(format: RowFormat, column: &str, expect: T) {
    let json = format!(r#"[{{"v":{column}}}]"#);
    let expect = [expect];
    let unwrapped = |rows: Vec<Named<T>>| rows.into_iter().map(|row| row.v).collect::<Vec<T>>();
    assert_eq!(unwrapped(read(&json, format).unwrap()), expect, "{json}, {format:?}");
    let pairs: Vec<(T,)> = read(&json, format).unwrap();
    assert_eq!(pairs.into_iter().map(|row| row.0).collect::<Vec<T>>(), expect, "{json}, {format:?}");
    let maps: Vec<BTreeMap<String, T>> = read(&json, format).unwrap();
    assert_eq!(maps.into_iter().flat_map(BTreeMap::into_values).collect::<Vec<T>>(), expect, "{json}, {format:?}");
    let options: Vec<Named<Option<T>>> = read(&json, format).unwrap();
    assert_eq!(options.into_iter().filter_map(|row| row.v).collect::<Vec<T>>(), expect, "{json}, {format:?}");
    if let Some(quick) = quickly::<Named<T>>(&json, format) {
        assert_eq!(unwrapped(quick), expect, "{json}, {format:?}");
    }
}

fn alone<T: DeserializeOwned + PartialEq + Debug>(format: RowFormat, column: &str, expect: T) {
    let json = format!(r#"[{{"COUNT(*)":{column}}}]"#);
    assert_eq!(read::<T>(&json, format).unwrap(), [expect], "{json}, {format:?}");
    assert_eq!(read::<Option<u8>>(r#"[{"v":null}]"#, format).unwrap(), [None]);
    is(format, column, read::<T>(&json, format).unwrap().remove(0));
}

fn misfits<T: DeserializeOwned + Debug>(format: RowFormat, column: &str, expect: &str) {
    let error = read::<Named<T>>(&format!(r#"[{{"v":{column}}}]"#), format).unwrap_err();
    assert!(error.starts_with(expect), "{column}: {error}");
}

#[test]
fn flags() {
    for format in FORMATS {
        for (column, expect) in [("0", false), ("1", true), ("true", true), ("false", false)] {
            alone(format, column, expect);
        }
        misfits::<bool>(format, "7", "expected a boolean, found 7");
        misfits::<bool>(format, "-1", "expected a boolean, found -1");
        misfits::<bool>(format, "null", "expected a boolean, found null");
        misfits::<bool>(format, r#""secret""#, "expected a boolean, found a text");
    }
    is(RowFormat::TypeScript, r#"{"type":"Buffer","data":[1]}"#, true);
    is(RowFormat::Python, r#""\u0000""#, false);
}

#[test]
fn numbers() {
    for format in FORMATS {
        alone(format, "18446744073709551615", u64::MAX);
        alone(format, "-9223372036854775808", i64::MIN);
        is(format, "18446744073709551616", 1_u128 << 64);
        is(format, "10.0", 10_u64);
        is(format, "1e3", 1_000_i16);
        is(format, r#""00123""#, 123_u32);
        is(format, r#""-7""#, -7_i8);
        alone(format, "0.1", 0.1_f64);
        is(format, "1.1", 1.1_f32);
        is(format, "7", 7.0_f64);
        is(format, r#""1.50""#, 1.5_f64);
        misfits::<u64>(format, "10.5", "expected u64, found 10.5");
        misfits::<u8>(format, "256", "invalid value: integer `256`, expected u8");
        misfits::<u64>(format, "-1", "invalid value: integer `-1`, expected u64");
        misfits::<u64>(format, r#""NaN""#, "expected u64, found a text");
        misfits::<f64>(format, r#""inf""#, "expected f64, found a text");
    }
    is(RowFormat::TypeScript, r#"{"type":"Buffer","data":[1,0]}"#, 256_u16);
}

#[test]
fn texts() {
    for format in FORMATS {
        alone(format, r#""a\n\"ü""#, "a\n\"ü".to_owned());
        is(format, "12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890".to_owned());
        is(format, "7", "7".to_owned());
        is(format, r#"{"a":[1]}"#, r#"{"a":[1]}"#.to_owned());
        is(format, r#"{"type":"Buffer","data":[104,105]}"#, "hi".to_owned());
        misfits::<String>(format, "null", "expected a string, found null");
    }
    let borrowed: Vec<Named<&str>> = read(r#"[{"v":"a"}]"#, RowFormat::Canonical).unwrap();
    assert_eq!(borrowed, [Named { v: "a" }]);
}

/// A type that asks for bytes, as `serde_bytes::ByteBuf` and `bytes::Bytes` do.
#[derive(Debug, PartialEq)]
struct ByteBuf(Vec<u8>);

impl<'de> Deserialize<'de> for ByteBuf {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = ByteBuf;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<ByteBuf, E> {
                Ok(ByteBuf(bytes.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, bytes: A) -> Result<ByteBuf, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(bytes)).map(ByteBuf)
            }
        }
        value.deserialize_byte_buf(Bytes)
    }
}

#[test]
fn bytes() {
    for (format, column, expect) in [
        (RowFormat::Canonical, r#""aGk=""#, b"hi".to_vec()),
        (RowFormat::Canonical, r#""""#, vec![]),
        (RowFormat::Canonical, "[1,255]", vec![1, 255]),
        (RowFormat::TypeScript, r#"{"type":"Buffer","data":[104,255]}"#, vec![104, 255]),
        (RowFormat::Canonical, r#"{"type":"Buffer","data":[104]}"#, vec![104]),
        (RowFormat::Python, r#""abcd""#, b"abcd".to_vec()),
        (RowFormat::Python, r#""ü\n""#, "ü\n".as_bytes().to_vec()),
    ] {
        alone(format, column, expect.clone());
        is(format, column, ByteBuf(expect));
    }
    misfits::<Vec<u8>>(RowFormat::Canonical, r#""no base64""#, "expected a sequence, found a text");
    misfits::<ByteBuf>(RowFormat::Canonical, "1", "expected bytes, found 1");
}

#[test]
fn documents() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Nested {
        on: bool,
        all: Vec<u32>,
    }
    let nested = || Nested { on: true, all: vec![1, 2] };
    for format in FORMATS {
        is(format, r#"{"on":true,"all":[1,2]}"#, nested());
        is(format, r#""{\"on\":true,\"all\":[1,2]}""#, nested());
        is(format, r#""[1,2]""#, vec![1_u32, 2]);
        is(format, r#"{"a":[1.5,"x"]}"#, json!({"a": [1.5, "x"]}));
        misfits::<Nested>(format, r#""x""#, "expected struct Nested, found a text");
        misfits::<Vec<u32>>(format, r#""{}""#, "invalid type: map, expected a sequence");
    }
}

#[test]
fn rows() {
    let json = r#"[{"id":1,"name":"a","on":1},{"id":2,"name":"b","on":0}]"#;
    #[derive(Deserialize, Debug, PartialEq)]
    struct Pair(u64, String);
    for format in FORMATS {
        let tuples: Vec<(u64, String, bool)> = read(json, format).unwrap();
        assert_eq!(tuples, [(1, "a".into(), true), (2, "b".into(), false)]);
        let pairs: Vec<Pair> = read(r#"[{"id":1,"name":"a"}]"#, format).unwrap();
        assert_eq!(pairs, [Pair(1, "a".into())]);
        assert_eq!(read::<Value>(json, format).unwrap(), serde_json::from_str::<Vec<Value>>(json).unwrap());
        assert!(read::<u64>(json, format).unwrap_err().starts_with("expected a row of one column, found one of 3"));
        let error = read::<(u64, String)>(json, format).unwrap_err();
        assert!(error.starts_with("expected a row of 2 columns, found one of 3"), "{error}");
        assert_eq!(read::<u64>("[1,2]", format).unwrap(), [1, 2], "not rows, and read all the same");
        assert_eq!(read::<(u64, u64)>("[[1,2]]", format).unwrap(), [(1, 2)]);
        assert_eq!(read::<u64>("[]", format).unwrap().len(), 0);
        #[derive(Deserialize, Debug, PartialEq)]
        enum State {
            Open,
        }
        is(format, r#""Open""#, Some(State::Open));
        assert_eq!(read::<State>(r#"[{"state":"Open"}]"#, format).unwrap(), [State::Open]);
    }
}

/// The reader's stack is finite, and a cache may hold anything.
#[test]
fn no_document_is_followed_for_ever() {
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "it is never made")]
    struct Node {
        on: bool,
        next: Option<Box<Node>>,
    }
    const LEVELS: usize = 20_000;
    let json = [r#"{"on":1,"next":"#.repeat(LEVELS).as_str(), "null", &"}".repeat(LEVELS)].concat();
    misfits::<Node>(RowFormat::Canonical, &json, "the document nests too deep");
    assert!(quickly::<Node>(&format!("[{json}]"), RowFormat::Canonical).is_none());
    let few = [r#"{"on":1,"next":"#.repeat(100).as_str(), "null", &"}".repeat(100)].concat();
    read::<Named<Node>>(&format!(r#"[{{"v":{few}}}]"#), RowFormat::Canonical).unwrap();
}

#[cfg(feature = "rust_decimal")]
#[test]
fn decimals_keep_their_digits() {
    use rust_decimal::Decimal;
    for format in FORMATS {
        for digits in ["10.5", "0", "-0.1", "1234567890123456789.123456789", "7922816251426433759354395033.5"] {
            alone(format, digits, digits.parse::<Decimal>().unwrap());
            is(format, &format!("{digits:?}"), digits.parse::<Decimal>().unwrap());
        }
        is(format, "1e-7", "0.0000001".parse::<Decimal>().unwrap());
        misfits::<Decimal>(format, r#""x""#, "expected a Decimal type representing a fixed-point number, found a text");
    }
}

/// `2025-02-03 04:05:06.789` and its day, as each format writes them.
#[cfg(any(feature = "chrono", feature = "time"))]
const DATES: [(RowFormat, &str, &str); 4] = [
    (RowFormat::Canonical, r#""2025-02-03""#, r#""2025-02-03T04:05:06.789""#),
    (RowFormat::TypeScript, r#""2025-02-03T00:00:00.000Z""#, r#""2025-02-03T04:05:06.789Z""#),
    (RowFormat::Python, r#""2025-02-03""#, r#""2025-02-03T04:05:06.789000""#),
    (RowFormat::Canonical, r#""2025-02-03""#, r#""2025-02-03 04:05:06.789""#),
];

#[cfg(feature = "chrono")]
#[test]
fn dates_of_chrono() {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    let day = NaiveDate::from_ymd_opt(2025, 2, 3).unwrap();
    let at = day.and_hms_milli_opt(4, 5, 6, 789).unwrap();
    for (format, date, date_time) in DATES {
        alone::<NaiveDate>(format, date, day);
        alone::<NaiveDateTime>(format, date_time, at);
        alone::<DateTime<Utc>>(format, date_time, at.and_utc());
        is::<DateTime<FixedOffset>>(format, date_time, at.and_utc().fixed_offset());
        alone::<NaiveTime>(format, r#""04:05:06.789""#, at.time());
        misfits::<NaiveDate>(format, date_time, "expected a formatted date string, found a text");
        for other in [r#""0000-00-00T00:00:00""#, r#""2025-02-29T00:00:00""#, r#""2025-02-03""#, "1"] {
            misfits::<NaiveDateTime>(format, other, "expected a formatted date and time string, found ");
        }
    }
}

#[cfg(feature = "time")]
#[test]
fn dates_of_time() {
    use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};
    let day = Date::from_calendar_date(2025, Month::February, 3).unwrap();
    let time = Time::from_hms_milli(4, 5, 6, 789).unwrap();
    for (format, date, date_time) in DATES {
        alone::<Date>(format, date, day);
        alone::<PrimitiveDateTime>(format, date_time, day.with_time(time));
        alone::<OffsetDateTime>(format, date_time, day.with_time(time).assume_utc());
        alone::<Time>(format, r#""04:05:06.789""#, time);
        misfits::<Date>(format, date_time, "expected a `Date`, found a text");
        misfits::<Time>(format, r#""838:59:59""#, "");
    }
    is::<Date>(RowFormat::Canonical, r#""2024-12-31""#, Date::from_calendar_date(2024, Month::December, 31).unwrap());
}
