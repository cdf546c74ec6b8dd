//! Tests of the row formats: the spelling of each value. `layout` tests everything around values.

use super::*;
use crate::temporal::{Date, DateTime, Time};

mod golden;
mod layout;
mod properties;

use RowFormat::{Canonical, Python, TypeScript};

/// Begins a row with these cells.
fn begin(rows: &mut RowEncoder, cells: &[Cell<'_>]) -> Result<(), RowError> {
    rows.begin_row();
    cells.iter().try_for_each(|cell| rows.cell(*cell))
}

fn encode(format: RowFormat, columns: &[Column], cells: &[Cell<'_>]) -> Result<String, RowError> {
    let mut rows = RowEncoder::new(format);
    rows.columns(columns)?;
    begin(&mut rows, cells)?;
    rows.end_row();
    Ok(String::from_utf8(rows.finish()?.to_vec()).unwrap())
}

/// Returns the JSON of one cell.
fn one(format: RowFormat, kind: ColumnKind, cell: Cell<'_>) -> Result<String, RowError> {
    let row = encode(format, &[Column::new("c", kind)], &[cell])?;
    serde_json::from_str::<Vec<serde_json::Map<String, serde_json::Value>>>(&row).unwrap();
    Ok(row.strip_prefix("[{\"c\":").unwrap().strip_suffix("}]").unwrap().to_owned())
}

#[track_caller]
fn check(kind: ColumnKind, cell: Cell<'_>, canonical: &str, typescript: &str, python: &str) {
    for (format, expect) in [(Canonical, canonical), (TypeScript, typescript), (Python, python)] {
        assert_eq!(one(format, kind, cell).as_deref(), Ok(expect), "{format:?} {cell:?}");
    }
}

fn date(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).unwrap()
}

fn at(year: u16, month: u8, day: u8, clock: (u8, u8, u8), micros: u32) -> DateTime {
    date(year, month, day).at(clock.0, clock.1, clock.2, micros).unwrap()
}

#[test]
fn numbers() {
    use ColumnKind::{Double, Float, Int, Year};
    check(Int, Cell::Null, "null", "null", "null");
    check(Int, Cell::Int(i64::MIN), "-9223372036854775808", "-9223372036854776000", "-9223372036854775808");
    check(Int, Cell::UInt(u64::MAX), "18446744073709551615", "18446744073709552000", "18446744073709551615");
    check(Int, Cell::Int(-9_007_199_254_740_993), "-9007199254740993", "-9007199254740992", "-9007199254740993");
    check(Year, Cell::Int(2025), "2025", "2025", "2025");
    check(Float, Cell::Float(16_777_216.0), "16777216", "16777200", "16777200.0");
    check(Float, Cell::Float(1.1), "1.1", "1.1", "1.1");
    check(Float, Cell::Float(1e-5), "0.00001", "0.00001", "1e-05");
    check(Double, Cell::Double(1e-7), "1e-7", "1e-7", "1e-07");
    check(Double, Cell::Double(-0.0), "0", "0", "-0.0");
    check(Double, Cell::Double(5e15), "5000000000000000", "5000000000000000", "5000000000000000.0");
    check(Double, Cell::Double(9_876_543.210_987_657), "9876543.210987657", "9876543.210987655", "9876543.210987657");
    let same = "-9876543.210987657";
    check(Double, Cell::Double(-9_876_543.210_987_657), same, same, same);
    check(Double, Cell::Double(f64::NAN), "null", "null", "null");
    check(Double, Cell::Double(f64::INFINITY), "null", "null", "null");
    check(Float, Cell::Float(f32::NEG_INFINITY), "null", "null", "null");
}

#[test]
fn numbers_of_the_text_protocol() {
    let kind = ColumnKind::Double;
    check(kind, Cell::Number("1e-7"), "1e-7", "1e-7", "1e-07");
    check(kind, Cell::Number("-0.50"), "-0.5", "-0.5", "-0.5");
    check(kind, Cell::Number("-0"), "0", "0", "-0.0");
    check(kind, Cell::Number("9876543.210987657"), "9876543.210987657", "9876543.210987655", "9876543.210987657");
    check(kind, Cell::Number("99999999999999984"), "99999999999999980", "99999999999999980", "9.999999999999998e+16");
    for format in [Canonical, TypeScript, Python] {
        assert!(matches!(one(format, kind, Cell::Number("x")), Err(RowError::InvalidDecimal { .. })));
    }
}

#[test]
fn floats_of_fixed_decimals() {
    let check = |kind, decimals, cell, expected: [&str; 3]| {
        let column = Column::new("c", kind).with_decimals(decimals);
        for (format, expected) in [Canonical, TypeScript, Python].into_iter().zip(expected) {
            let json = encode(format, std::slice::from_ref(&column), &[cell]).unwrap();
            assert_eq!(json, format!("[{{\"c\":{expected}}}]"), "{format:?} {cell:?}");
        }
    };
    check(ColumnKind::Float, 3, Cell::Float(1234.567), ["1234.567"; 3]);
    check(ColumnKind::Float, 7, Cell::Float(618.533_5), ["618.5335", "618.5335083", "618.5335083"]);
    check(ColumnKind::Double, 2, Cell::Double(0.1 + 0.2), ["0.30000000000000004", "0.3", "0.3"]);
    check(ColumnKind::Double, 6, Cell::Double(std::f64::consts::PI), ["3.141592653589793", "3.141593", "3.141593"]);
    check(ColumnKind::Double, 0, Cell::Double(2.5), ["2.5", "2", "2.0"]);
    check(ColumnKind::Double, 2, Cell::Double(f64::INFINITY), ["null"; 3]);
    check(ColumnKind::Double, 2, Cell::Null, ["null"; 3]);
}

#[test]
fn cells_that_only_one_server_sends() {
    let vector = [0.5_f32.to_le_bytes(), 0.1_f32.to_le_bytes()].concat();
    let text = "\"\\u0000\\u0000\\u0000?=\"";
    check(ColumnKind::Vector, Cell::Bytes(&vector), "\"AAAAP83MzD0=\"", "[0.5,0.10000000149011612]", text);
    check(ColumnKind::Vector, Cell::Null, "null", "[]", "null");
    // MySQL sends the bits of an `IF` with numbers as a decimal.
    assert_eq!(one(TypeScript, ColumnKind::Decimal, Cell::Decimal("j")).unwrap(), "\"j\"");
}

#[test]
fn decimals() {
    let kind = ColumnKind::Decimal;
    let long = "12345678901234567890.0123456789";
    check(kind, Cell::Decimal(long), long, "12345678901234567000", "1.2345678901234567e+19");
    check(kind, Cell::Decimal("10.50"), "10.5", "10.5", "10.5");
    check(kind, Cell::Decimal("0.0000001000"), "1e-7", "1e-7", "1e-07");
    let error = one(Canonical, kind, Cell::Decimal("1,5")).unwrap_err();
    assert_eq!(error, RowError::InvalidDecimal { column: "c".into(), digits: "1,5".into() });
}

#[test]
fn text_of_digits_is_a_number_in_typescript_alone() {
    let cases = [
        ("00123", "123"),
        ("1.50", "1.5"),
        ("-7", "-7"),
        ("5.", "5"),
        ("-0", "0"),
        ("12345678901234567890", "12345678901234567000"),
        ("0.00000001", "1e-8"),
    ];
    for (text, number) in cases {
        let quoted = format!("\"{text}\"");
        check(ColumnKind::Text, Cell::Text(text), &quoted, number, &quoted);
    }
    let huge = "9".repeat(400);
    let zeros = format!("1{}", "0".repeat(400));
    for text in ["", "-", ".", ".5", "-.5", "1e5", "+1", " 1", "1 ", "1.2.3", "--1", "٣", "0x1", &huge, &zeros] {
        let quoted = format!("\"{text}\"");
        check(ColumnKind::Text, Cell::Text(text), &quoted, &quoted, &quoted);
    }
    check(ColumnKind::Text, Cell::Text("1\n"), "\"1\\n\"", "\"1\\n\"", "\"1\\n\"");
    let tiny = format!("0.{}1", "0".repeat(400));
    assert_eq!(one(TypeScript, ColumnKind::Text, Cell::Text(&tiny)).as_deref(), Ok("0"));
}

#[test]
fn bytes() {
    use ColumnKind::{Binary, Bit};
    let row = |kind, bytes: &[u8], canonical, python| {
        let typescript = format!(r#"{{"type":"Buffer","data":{bytes:?}}}"#).replace(' ', "");
        check(kind, Cell::Bytes(bytes), canonical, &typescript, python);
    };
    row(Bit, &[1, 2], "258", r#""\u0001\u0002""#);
    row(Bit, &[0xff; 8], "18446744073709551615", "\"\"");
    row(Bit, &[0, 0], "0", r#""\u0000\u0000""#);
    row(Binary, b"", "\"\"", "\"\"");
    row(Binary, b"a", "\"YQ==\"", "\"a\"");
    row(Binary, b"\xff\xfe\xfd", "\"//79\"", "\"\"");
    row(Binary, b"A\xe2\x82B\xc3\xa9\xf0\x9f\x9a", "\"QeKCQsOp8J+a\"", "\"ABé\"");
    row(ColumnKind::BitDigits, b"106", "106", "\"106\"");
    let error = one(Canonical, Bit, Cell::Bytes(&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0])).unwrap_err();
    assert_eq!(error, RowError::WideBit { column: "c".into(), bytes: 9 });
}

/// Checks a cell that becomes a text in each format, or null.
#[track_caller]
fn check_quoted(kind: ColumnKind, cell: Cell<'_>, expected: [&str; 3]) {
    let [canonical, typescript, python] =
        expected.map(|text| if text == "null" { text.to_owned() } else { format!("\"{text}\"") });
    check(kind, cell, &canonical, &typescript, &python);
}

#[test]
fn dates_and_times() {
    let row = |fraction, moment, expected| {
        check_quoted(ColumnKind::DateTime { fraction }, Cell::DateTime(moment), expected);
    };
    let half_past = |micros| at(2025, 1, 15, (10, 30, 0), micros);
    row(0, half_past(0), ["2025-01-15T10:30:00", "2025-01-15T10:30:00.000Z", "2025-01-15T10:30:00"]);
    let with_millis = ["2025-01-15T10:30:00.120", "2025-01-15T10:30:00.120Z", "2025-01-15T10:30:00.120000"];
    row(3, half_past(120_000), with_millis);
    row(3, half_past(0), ["2025-01-15T10:30:00.000", "2025-01-15T10:30:00.000Z", "2025-01-15T10:30:00"]);
    let with_micros = ["2025-01-15T10:30:00.999999", "2025-01-15T10:30:00.999Z", "2025-01-15T10:30:00.999999"];
    row(6, half_past(999_999), with_micros);
    // Digits beyond the declared ones are not lost.
    let undeclared = ["2025-01-15T10:30:00.000001", "2025-01-15T10:30:00.000Z", "2025-01-15T10:30:00.000001"];
    row(0, half_past(1), undeclared);
    row(3, at(0, 0, 0, (0, 0, 0), 0), ["0000-00-00T00:00:00.000", "null", "0000-00-00 00:00:00.000"]);
    let rolled_over = ["2025-02-31T10:00:00", "2025-03-03T10:00:00.000Z", "2025-02-31 10:00:00"];
    row(0, at(2025, 2, 31, (10, 0, 0), 0), rolled_over);
    row(0, at(2025, 3, 0, (10, 0, 0), 0), ["2025-03-00T10:00:00", "null", "2025-03-00 10:00:00"]);
    let clock = (3, 4, 5);
    row(0, at(50, 1, 2, clock, 0), ["0050-01-02T03:04:05", "1950-01-02T03:04:05.000Z", "0050-01-02T03:04:05"]);
    row(0, at(5, 2, 31, clock, 0), ["0005-02-31T03:04:05", "2031-05-02T03:04:05.000Z", "0005-02-31 03:04:05"]);
    row(0, at(99, 1, 2, clock, 0), ["0099-01-02T03:04:05", "1999-01-02T03:04:05.000Z", "0099-01-02T03:04:05"]);
    row(0, at(31, 12, 31, clock, 0), ["0031-12-31T03:04:05", "null", "0031-12-31T03:04:05"]);
    row(0, at(0, 1, 1, (0, 0, 0), 0), ["0000-01-01T00:00:00", "2000-01-01T00:00:00.000Z", "0000-01-01 00:00:00"]);

    let day = |value, text, typescript| check_quoted(ColumnKind::Date, Cell::Date(value), [text, typescript, text]);
    day(date(1993, 6, 15), "1993-06-15", "1993-06-15T00:00:00.000Z");
    day(date(0, 0, 0), "0000-00-00", "1899-11-30T00:00:00.000Z");
    day(date(2025, 0, 0), "2025-00-00", "2024-11-30T00:00:00.000Z");
    day(date(2025, 3, 0), "2025-03-00", "2025-02-28T00:00:00.000Z");
    day(date(2024, 2, 31), "2024-02-31", "2024-03-02T00:00:00.000Z");
    day(date(31, 12, 31), "0031-12-31", "1931-12-31T00:00:00.000Z");

    let time = |fraction, value, text| check_quoted(ColumnKind::Time { fraction }, Cell::Time(value), [text; 3]);
    time(0, -Time::new(838, 59, 59, 0).unwrap(), "-838:59:59");
    time(3, Time::new(1, 2, 3, 120_000).unwrap(), "01:02:03.120");
    time(0, Time::new(0, 0, 0, 0).unwrap(), "00:00:00");
}

/// The parts are public, so parts far out of range must not panic.
#[test]
fn impossible_parts_are_written_somehow() {
    let date = Date { year: u16::MAX, month: u8::MAX, day: u8::MAX };
    let moment = DateTime { date, hour: u8::MAX, minute: u8::MAX, second: u8::MAX, micros: u32::MAX };
    let time = Time { negative: true, hours: u16::MAX, minutes: u8::MAX, seconds: u8::MAX, micros: u32::MAX };
    for format in [Canonical, TypeScript, Python] {
        for cell in [Cell::Date(date), Cell::DateTime(moment), Cell::Time(time)] {
            assert!(one(format, ColumnKind::DateTime { fraction: u8::MAX }, cell).is_ok());
        }
    }
}

#[test]
fn documents() {
    let kind = ColumnKind::Json;
    let (document, text) = (r#"{"b": 1.0, "1": [ ]}"#, r#""{\"b\": 1.0, \"1\": [ ]}""#);
    check(kind, Cell::Json(document), r#"{"b":1.0,"1":[]}"#, r#"{"1":[],"b":1}"#, text);
    check(kind, Cell::Json("\"00123\""), "\"00123\"", "123", r#""\"00123\"""#);
    check(kind, Cell::Json("\"-5.\""), "\"-5.\"", "-5", r#""\"-5.\"""#);
    check(kind, Cell::Json("[\"00123\"]"), "[\"00123\"]", "[\"00123\"]", r#""[\"00123\"]""#);
    check(kind, Cell::Json("null"), "null", "null", "\"null\"");
    for text in ["", "{", "1,2", "[1]],[2"] {
        for format in [Canonical, TypeScript] {
            let error = Err(RowError::InvalidJson { column: "c".into() });
            assert_eq!(one(format, kind, Cell::Json(text)), error, "{text}");
        }
        assert!(one(Python, kind, Cell::Json(text)).is_ok());
    }
}

#[test]
fn geometry() {
    let unhex = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let point = unhex("E61000000101000000000000000000F03F0000000000000440");
    let (canonical, python) = (
        "\"5hAAAAEBAAAAAAAAAAAA8D8AAAAAAAAEQA==\"",
        r#""\u0010\u0000\u0000\u0001\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000?\u0000\u0000\u0000\u0000\u0000\u0000\u0004@""#,
    );
    check(ColumnKind::Geometry, Cell::Bytes(&point), canonical, r#"{"x":1,"y":2.5}"#, python);
    let line = "0000000001020000000200000000000000000000000000000000000000000000000000F03F000000000000F03F";
    let points = "000000000104000000020000000101000000000000000000F03F000000000000F03F010100000000000000000000400000000000000040";
    let cases = [
        (line, r#"[{"x":0,"y":0},{"x":1,"y":1}]"#),
        ("000000000103000000010000000100000000000000000000000000000000001040", r#"[[{"x":0,"y":4}]]"#),
        (points, r#"[{"x":1,"y":1},{"x":2,"y":2}]"#),
        ("00000000000000000140080000000000004010000000000000", r#"{"x":3,"y":4}"#),
        ("00000000010700000000000000", "[]"),
        ("00000000010700000001000000010100000000000000", "[null]"),
        ("00000000", "null"),
        ("", "null"),
        ("0000000001FF000000", "null"),
        ("000000000102000000FFFFFFFF", "null"),
    ];
    for (hex, expect) in cases {
        assert_eq!(one(TypeScript, ColumnKind::Geometry, Cell::Bytes(&unhex(hex))).as_deref(), Ok(expect), "{hex}");
    }
}
