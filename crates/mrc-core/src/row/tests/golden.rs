//! The rows of `types.sql`, compared with the rows that the peers stored.

use super::*;

const TYPESCRIPT: &str = include_str!("../../../../../tests/golden/types.typescript.jsonl");
const PYTHON: &str = include_str!("../../../../../tests/golden/types.python.jsonl");

/// The columns of `golden_types`. The Python peer was asked for all but the two TIME columns.
fn columns() -> Vec<Column> {
    use ColumnKind::*;
    let datetime = |fraction| DateTime { fraction };
    let columns = [
        ("id", Int),
        ("t1", Int),
        ("t8", Int),
        ("u8", Int),
        ("i16", Int),
        ("i24", Int),
        ("i32", Int),
        ("u32", Int),
        ("i64", Int),
        ("u64", Int),
        ("d102", Decimal),
        ("d3010", Decimal),
        ("f", Float),
        ("d", Double),
        ("vc", Text),
        ("vcnum", Text),
        ("vcnum2", Text),
        ("tx", Text),
        ("ch", Text),
        ("en", Text),
        ("st", Text),
        ("js", Json),
        ("dt", datetime(0)),
        ("dt6", datetime(6)),
        ("ts", datetime(0)),
        ("ts3", datetime(3)),
        ("da", Date),
        ("ti", Time { fraction: 0 }),
        ("ti3", Time { fraction: 3 }),
        ("yr", Year),
        ("b1", Bit),
        ("b8", Bit),
        ("b16", Bit),
        ("bi", Binary),
        ("vb", Binary),
        ("bl", Binary),
    ];
    columns.into_iter().map(|(name, kind)| Column::new(name, kind)).collect()
}

fn rows() -> [Vec<Cell<'static>>; 4] {
    use Cell::{Bytes, Decimal, Double, Float, Int, Json, Null, Text, UInt};
    let day = |year, month, of_month| Cell::Date(date(year, month, of_month));
    let moment = |year, month, day, clock, micros| Cell::DateTime(at(year, month, day, clock, micros));
    let time = |hours, minutes, seconds, micros| Time::new(hours, minutes, seconds, micros).unwrap();
    let mut nulls = vec![Null; 36];
    nulls[0] = Int(2);
    [
        vec![
            Int(1),
            Int(1),
            Int(-5),
            Int(200),
            Int(-30000),
            Int(-8_000_000),
            Int(-2_000_000_000),
            Int(4_000_000_000),
            Int(42),
            Int(43),
            Decimal("10.50"),
            Decimal("3.1415926535"),
            Float(1.1),
            Double(0.1),
            Text("héllo 🚀"),
            Text("00123"),
            Text("1.50"),
            Text("text \"q\" \\ \n\t\r"),
            Text("ab"),
            Text("7"),
            Text("x,y"),
            Json(r#"{"b": 1, "a": [1.0, 2.50, null, true], "é": "\u2028"}"#),
            moment(2025, 1, 15, (10, 30, 0), 0),
            moment(2025, 1, 15, (10, 30, 0), 123_456),
            moment(2025, 1, 15, (10, 30, 0), 0),
            moment(2025, 1, 15, (10, 30, 0), 120_000),
            day(1993, 6, 15),
            Cell::Time(time(12, 34, 56, 0)),
            Cell::Time(time(1, 2, 3, 120_000)),
            Int(2025),
            Bytes(&[1]),
            Bytes(&[0b0110_1010]),
            Bytes(&[0b0110_1010, 0b0110_0001]),
            Bytes(b"ab\0\0"),
            Bytes(b"bin"),
            Bytes(b"blob"),
        ],
        nulls,
        vec![
            Int(3),
            Int(0),
            Int(-128),
            Int(255),
            Int(32767),
            Int(8_388_607),
            Int(2_147_483_647),
            Int(4_294_967_295),
            Int(i64::MIN),
            UInt(u64::MAX),
            Decimal("-99999999.99"),
            Decimal("12345678901234567890.0123456789"),
            Float(3.4e38),
            Double(f64::MAX),
            Text("_=%*[]{}"),
            Text("-7"),
            Text("1e5"),
            Text("null"),
            Text("abcde"),
            Text("a"),
            Text("x"),
            Json("[]"),
            moment(9999, 12, 31, (23, 59, 59), 0),
            moment(1000, 1, 1, (0, 0, 0), 1),
            moment(2038, 1, 19, (3, 14, 7), 0),
            moment(1970, 1, 1, (0, 0, 1), 1000),
            day(9999, 12, 31),
            Cell::Time(-time(838, 59, 59, 0)),
            Cell::Time(time(838, 59, 59, 0)),
            Int(2155),
            Bytes(&[0]),
            Bytes(&[255]),
            Bytes(&[255, 255]),
            Bytes(b"\0\xff\0\xff"),
            Bytes(b"\x80"),
            Bytes(b"\xc3\xa9\xff"),
        ],
        vec![
            Int(4),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Int(0),
            Decimal("0.00"),
            Decimal("0.0000001000"),
            Float(0.0),
            Double(0.0),
            Text(""),
            Text(""),
            Text("0"),
            Text(""),
            Text(""),
            Text("b"),
            Text(""),
            Json("{}"),
            moment(2000, 2, 29, (0, 0, 0), 0),
            moment(2000, 2, 29, (0, 0, 0), 0),
            moment(2000, 2, 29, (0, 0, 0), 0),
            moment(2000, 2, 29, (0, 0, 0), 0),
            day(2000, 2, 29),
            Cell::Time(time(0, 0, 0, 0)),
            Cell::Time(time(0, 0, 0, 0)),
            Int(1970),
            Bytes(&[0]),
            Bytes(&[0]),
            Bytes(&[0, 0]),
            Bytes(b"\0\0\0\0"),
            Bytes(b""),
            Bytes(b""),
        ],
    ]
}

#[test]
fn the_npm_peer_stored_the_same() {
    for (cells, expect) in rows().iter().zip(TYPESCRIPT.lines()) {
        assert_eq!(encode(TypeScript, &columns(), cells).unwrap(), expect);
    }
    assert_eq!(TYPESCRIPT.lines().count(), 4);
}

#[test]
fn the_pypi_peer_stored_the_same() {
    let is_time = |column: &Column| matches!(column.kind, ColumnKind::Time { .. });
    let kept: Vec<bool> = columns().iter().map(|column| !is_time(column)).collect();
    let columns: Vec<Column> = columns().into_iter().filter(|column| !is_time(column)).collect();
    for (cells, expect) in rows().iter().zip(PYTHON.lines()) {
        let cells: Vec<Cell<'_>> = cells.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| *cell).collect();
        assert_eq!(encode(Python, &columns, &cells).unwrap(), expect);
    }
    assert_eq!(PYTHON.lines().count(), 4);
}

#[test]
fn canonical_is_without_loss() {
    let [first, _, third, _] = rows();
    assert_eq!(
        encode(Canonical, &columns(), &first).unwrap(),
        concat!(
            r#"[{"id":1,"t1":1,"t8":-5,"u8":200,"i16":-30000,"i24":-8000000,"i32":-2000000000,"u32":4000000000,"i64":42,"u64":43,"#,
            r#""d102":10.5,"d3010":3.1415926535,"f":1.1,"d":0.1,"vc":"héllo 🚀","vcnum":"00123","vcnum2":"1.50","#,
            r#""tx":"text \"q\" \\ \n\t\r","ch":"ab","en":"7","st":"x,y","js":{"b":1,"a":[1.0,2.50,null,true],"é":"\u2028"},"#,
            r#""dt":"2025-01-15T10:30:00","dt6":"2025-01-15T10:30:00.123456","ts":"2025-01-15T10:30:00","ts3":"2025-01-15T10:30:00.120","#,
            r#""da":"1993-06-15","ti":"12:34:56","ti3":"01:02:03.120","yr":2025,"b1":1,"b8":106,"b16":27233,"#,
            r#""bi":"YWIAAA==","vb":"Ymlu","bl":"YmxvYg=="}]"#,
        )
    );
    assert_eq!(
        encode(Canonical, &columns(), &third).unwrap(),
        concat!(
            r#"[{"id":3,"t1":0,"t8":-128,"u8":255,"i16":32767,"i24":8388607,"i32":2147483647,"u32":4294967295,"#,
            r#""i64":-9223372036854775808,"u64":18446744073709551615,"d102":-99999999.99,"d3010":12345678901234567890.0123456789,"#,
            r#""f":3.4e+38,"d":1.7976931348623157e+308,"vc":"_=%*[]{}","vcnum":"-7","vcnum2":"1e5","tx":"null","ch":"abcde","en":"a","st":"x","#,
            r#""js":[],"dt":"9999-12-31T23:59:59","dt6":"1000-01-01T00:00:00.000001","ts":"2038-01-19T03:14:07","ts3":"1970-01-01T00:00:01.001","#,
            r#""da":"9999-12-31","ti":"-838:59:59","ti3":"838:59:59.000","yr":2155,"b1":0,"b8":255,"b16":65535,"#,
            r#""bi":"AP8A/w==","vb":"gA==","bl":"w6n/"}]"#,
        )
    );
}
