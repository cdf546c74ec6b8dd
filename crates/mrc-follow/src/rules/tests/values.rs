use std::collections::HashMap;

use mrc_core::{EntryPattern, KeyFormat, KeyScheme, Params, Value};

use super::*;
use crate::rules::{Charset, TimeZone};

/// Returns the effects of one cell as the tag `{x}`, and as the param `X`.
fn effects_of_cell(column: Column, cell: Cell<'_>, zone: TimeZone) -> Effects {
    let rule = Rule::table("shop.orders").all("orders").tag("{x}").param("X", "{x}");
    let plan = Rules::new([rule]).unwrap().time_zone(zone).plan(&table(vec![column]));
    assert_eq!(plan.whole(), None);
    effects_of(&plan, &[inserted(vec![cell])])
}

/// Checks the tag of a cell, and that the effects find the keys of these params in both formats.
#[track_caller]
fn check(column: Column, cell: Cell<'_>, tag: &str, params: impl IntoIterator<Item = Value>) {
    check_in(TimeZone::UTC, column, cell, tag, params);
}

#[track_caller]
fn check_in(zone: TimeZone, column: Column, cell: Cell<'_>, tag: &str, params: impl IntoIterator<Item = Value>) {
    let effects = effects_of_cell(column, cell, zone);
    assert_eq!(effects.tags().map(mrc_core::Tag::as_str).collect::<Vec<_>>(), [tag]);
    let pattern = EntryPattern::any(&effects.params()).unwrap();
    for value in params {
        for format in [KeyFormat::TypeScript, KeyFormat::Python] {
            let key = KeyScheme::new(format).key("SELECT 1", &Params::new().with("X", value.clone())).unwrap();
            assert!(pattern.matches(key.as_str().as_bytes()), "{key} by {:?}", effects.params());
        }
    }
}

#[track_caller]
fn unreadable(column: Column, cell: Cell<'_>) {
    let effects = effects_of_cell(column, cell, TimeZone::UTC);
    super::check(&effects, &["shop.orders: unreadable"]);
}

fn x(kind: ColumnType) -> Column {
    column("x", kind)
}

fn text(collation: u16) -> Column {
    Column { collation: Some(collation), ..x(ColumnType::Varchar(100)) }
}

#[test]
fn numbers_and_null() {
    check(x(ColumnType::Long), Cell::Null, "null", [Value::Null]);
    check(text(45), Cell::Null, "null", [Value::Null, "null".into()]);
    check(x(ColumnType::Long), Cell::Int(-42), "-42", [(-42).into(), "-42".into()]);
    check(x(ColumnType::LongLong), Cell::UInt(u64::MAX), "18446744073709551615", [u64::MAX.into()]);
    check(x(ColumnType::Year), Cell::Int(2026), "2026", [2026.into()]);
    check(x(ColumnType::Tiny), Cell::Int(1), "1", [1.into(), true.into()]);
    check(x(ColumnType::Tiny), Cell::Int(0), "0", [0.into(), false.into()]);
    check(x(ColumnType::Tiny), Cell::Int(2), "2", [2.into()]);
    let decimal = |digits: &str| Value::from(mrc_core::Decimal::new(digits).unwrap());
    let price = [decimal("10.50"), decimal("10.5"), 10.5.into(), "10.50".into()];
    check(x(ColumnType::Decimal { precision: 9, scale: 2 }), Cell::Decimal("10.50".into()), "10.50", price);
    let whole = [decimal("100.00"), decimal("100"), 100.into(), 100.0.into()];
    check(x(ColumnType::Decimal { precision: 9, scale: 2 }), Cell::Decimal("100.00".into()), "100.00", whole);
    let no_scale = [decimal("100"), 100.into(), 100.0.into()];
    check(x(ColumnType::Decimal { precision: 9, scale: 0 }), Cell::Decimal("100".into()), "100", no_scale);
    let large = [1e22.into(), decimal("10000000000000000000000")];
    let digits = "10000000000000000000000";
    check(x(ColumnType::Decimal { precision: 30, scale: 0 }), Cell::Decimal(digits.into()), digits, large);
}

#[test]
fn texts() {
    check(text(45), Cell::Bytes("é_=€".as_bytes()), "é_=€", ["é_=€".into()]);
    check(text(8), Cell::Bytes(b"caf\xe9 \x80"), "café €", ["café €".into()]);
    check(text(9), Cell::Bytes(b"cafe"), "cafe", ["cafe".into()]);
    unreadable(text(9), Cell::Bytes(b"caf\xe9"));
    unreadable(text(45), Cell::Bytes(b"caf\xe9"));
    unreadable(text(45), Cell::Int(1));
    unreadable(x(ColumnType::Long), Cell::Bytes(b"1"));
}

#[test]
fn bytes_are_a_param_even_if_they_are_no_text() {
    let bytes = |bytes: &'static [u8]| Value::from(bytes.to_vec());
    check(text(63), Cell::Bytes(b"abc"), "abc", ["abc".into(), bytes(b"abc")]);
    let rule = || Rule::table("shop.orders").all("orders");
    let table = table(vec![text(63)]);
    let only_param = plan(rule().param("X", "{x}"), &table);
    let raw: &[u8] = b"\xff\x00'";
    super::check(
        &effects_of(&only_param, &[inserted(vec![Cell::Bytes(raw)])]),
        &[&format!("X={:?}", bytes(b"\xff\x00'"))],
    );
    let long = inserted(vec![Cell::Bytes(&[255; 1_025])]);
    super::check(&effects_of(&only_param, &[long]), &["shop.orders: too_long"]);
    let in_a_text = plan(rule().param("X", "a{x}"), &table);
    super::check(&effects_of(&in_a_text, &[inserted(vec![Cell::Bytes(raw)])]), &["shop.orders: unreadable"]);
    let padded = Cell::Padded(b"a\0\0".to_vec());
    check(Column { collation: Some(63), ..x(ColumnType::Char(3)) }, padded, "a\0\0", [bytes(b"a\0\0")]);
}

#[test]
fn enums_are_their_members() {
    let kind = || Column {
        members: vec![b"open".to_vec(), b"\xe9".to_vec(), b"\x80".to_vec()],
        collation: Some(8),
        ..x(ColumnType::Enum(1))
    };
    check(kind(), Cell::Enum(1), "open", ["open".into()]);
    check(kind(), Cell::Enum(2), "é", ["é".into()]);
    unreadable(kind(), Cell::Enum(4));
    unreadable(kind(), Cell::Int(1));
    unreadable(Column { collation: Some(45), ..kind() }, Cell::Enum(2));
    // The invalid value is an empty text, for which there can be no tag.
    super::check(&effects_of_cell(kind(), Cell::Enum(0), TimeZone::UTC), &["X=Text(\"\")"]);
}

#[test]
fn dates_and_times() {
    let date = mrc_core::Date::new(2026, 11, 28).unwrap();
    check(x(ColumnType::Date), Cell::Date("2026-11-28".into()), "2026-11-28", [date.into(), "2026-11-28".into()]);
    let zero = mrc_core::Date::new(0, 0, 0).unwrap();
    check(x(ColumnType::Date), Cell::Date("0000-00-00".into()), "0000-00-00", [zero.into()]);
    let at = |micros| Value::from(date.at(12, 30, 5, micros).unwrap());
    let datetime = |text: &str| Cell::DateTime(text.into());
    let plain = "2026-11-28 12:30:05";
    check(x(ColumnType::DateTime(0)), datetime(plain), plain, [at(0), plain.into()]);
    let (short, long) = ("2026-11-28 12:30:05.120", "2026-11-28 12:30:05.120000");
    check(x(ColumnType::DateTime(3)), datetime(short), long, [at(120_000), short.into(), long.into()]);
    let zeros = "2026-11-28 12:30:05.000";
    check(x(ColumnType::DateTime(3)), datetime(zeros), plain, [at(0), zeros.into(), plain.into()]);
    let time = mrc_core::Time::new(100, 0, 1, 500_000).unwrap();
    let (short, long) = ("-100:00:01.5", "-100:00:01.500000");
    check(x(ColumnType::Time(1)), Cell::Time(short.into()), long, [(-time).into(), short.into()]);
    for text in ["", "2026-11", "2026-11-28", "2026-13-01 00:00:00", "x 12:30:00", "2026-11-28 12:30:05.1234567"] {
        unreadable(x(ColumnType::DateTime(0)), datetime(text));
    }
    unreadable(x(ColumnType::Time(0)), Cell::Time("839:00:00".into()));
    let only_param = plan(Rule::table("shop.orders").param("X", "{x}"), &table(vec![x(ColumnType::Time(0))]));
    let no_time = inserted(vec![Cell::Time("839:00:00".into())]);
    super::check(&effects_of(&only_param, &[no_time]), &["shop.orders: unreadable"]);
}

#[test]
fn timestamps_are_in_the_time_zone() {
    let stamp = |seconds, micros, digits| Cell::Timestamp { seconds, micros, digits };
    let check = |zone: &str, cell, expect: &str, text: &str| {
        check_in(zone.parse().unwrap(), x(ColumnType::Timestamp(0)), cell, expect, [text.into(), expect.into()]);
    };
    let (utc, berlin) = ("2026-11-28 21:00:00", "2026-11-28 22:00:00");
    check("UTC", stamp(1_795_899_600, 0, 0), utc, utc);
    check("+01:00", stamp(1_795_899_600, 0, 0), berlin, berlin);
    check("-14:00", stamp(1_795_899_600, 0, 0), "2026-11-28 07:00:00", "2026-11-28 07:00:00");
    check("+14:00", stamp(951_782_399, 0, 0), "2000-02-29 13:59:59", "2000-02-29 13:59:59");
    check("UTC", stamp(951_782_399, 0, 0), "2000-02-28 23:59:59", "2000-02-28 23:59:59");
    check("UTC", stamp(1, 120_000, 3), "1970-01-01 00:00:01.120000", "1970-01-01 00:00:01.120");
    check("-01:00", stamp(1, 0, 2), "1969-12-31 23:00:01", "1969-12-31 23:00:01.00");
    check("UTC", stamp(u32::MAX, 0, 0), "2106-02-07 06:28:15", "2106-02-07 06:28:15");
    check("+01:00", stamp(0, 0, 0), "0000-00-00 00:00:00", "0000-00-00 00:00:00");
}

#[test]
fn time_zones_are_fixed_offsets() {
    let check = |text: &str, expect: Option<&str>| {
        assert_eq!(text.parse::<TimeZone>().ok().map(|zone| zone.to_string()).as_deref(), expect, "{text}");
    };
    check("UTC", Some("+00:00"));
    check("-08:30", Some("-08:30"));
    check("+14:00", Some("+14:00"));
    for text in ["", "Z", "+1:00", "01:00", "+14:01", "+00:60", "+0a:00", "+é:00", "SYSTEM", "Europe/Berlin"] {
        check(text, None);
    }
}

/// The collations of MySQL 9.7 and of MariaDB 10.11, by charset.
const COLLATIONS: &str = include_str!("collations.txt");

#[test]
fn every_collation_of_both_servers_has_its_charset() {
    let mut charsets = HashMap::new();
    for line in COLLATIONS.lines() {
        let (charset, ranges) = line.split_once(' ').unwrap();
        for range in ranges.split(',') {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            charsets.extend((from.parse().unwrap()..=to.parse::<u16>().unwrap()).map(|number| (number, charset)));
        }
    }
    assert_eq!(charsets.len(), 1309);
    for number in 0..=u16::MAX {
        let expect = match charsets.get(&number) {
            Some(&("utf8mb3" | "utf8mb4")) => Some(Charset::Utf8),
            Some(&"latin1") => Some(Charset::Latin1),
            Some(&"binary") => Some(Charset::Binary),
            Some(&("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7")) => None,
            Some(_) => Some(Charset::Ascii),
            None => continue,
        };
        assert_eq!(Charset::of(number), expect, "{number}: {:?}", charsets.get(&number));
    }
}

#[track_caller]
fn read(charset: Charset, bytes: &[u8], expect: Option<&str>) {
    assert_eq!(charset.text(bytes).as_deref(), expect, "{charset:?}");
}

#[test]
fn bytes_are_read_by_their_charset() {
    read(Charset::Utf8, "é€😀".as_bytes(), Some("é€😀"));
    read(Charset::Utf8, b"caf\xe9", None);
    read(Charset::Latin1, b"caf\xe9 \x80\x81\x9f\xa0\xff", Some("café €\u{81}Ÿ\u{a0}ÿ"));
    read(Charset::Ascii, b"cafe", Some("cafe"));
    read(Charset::Ascii, b"caf\xe9", None);
    read(Charset::Binary, "é".as_bytes(), Some("é"));
    read(Charset::Binary, b"\xff", None);
}
