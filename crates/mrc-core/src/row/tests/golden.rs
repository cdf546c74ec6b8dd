//! The rows of `types.sql`, compared with the rows that the peers stored.

use super::*;

const TYPESCRIPT: &str = include_str!("../../../../../tests/golden/types.typescript.jsonl");
const PYTHON: &str = include_str!("../../../../../tests/golden/types.python.jsonl");

/// The columns of `golden_types`, each with its cells in the rows 1, 3 and 4. Row 2 has NULLs. The
/// Python peer was asked for all but the two TIME columns.
fn table() -> [(&'static str, ColumnKind, [Cell<'static>; 3]); 36] {
    use Cell::{Bytes, Decimal, Double, Float, Int, Json, Text, UInt};
    use ColumnKind as Of;
    let at = |year, month, day, clock, micros| Cell::DateTime(at(year, month, day, clock, micros));
    let day = |year, month, of_month| Cell::Date(date(year, month, of_month));
    let time = |hours, minutes, seconds, micros| Time::new(hours, minutes, seconds, micros).unwrap();
    let to = |fraction| Of::DateTime { fraction };
    let leap_day = at(2000, 2, 29, (0, 0, 0), 0);
    let (midnight, longest) = (Cell::Time(time(0, 0, 0, 0)), time(838, 59, 59, 0));
    let document = r#"{"b": 1, "a": [1.0, 2.50, null, true], "é": "\u2028"}"#;
    [
        ("id", Of::Int, [1, 3, 4].map(Int)),
        ("t1", Of::Int, [1, 0, 0].map(Int)),
        ("t8", Of::Int, [-5, -128, 0].map(Int)),
        ("u8", Of::Int, [200, 255, 0].map(Int)),
        ("i16", Of::Int, [-30000, 32767, 0].map(Int)),
        ("i24", Of::Int, [-8_000_000, 8_388_607, 0].map(Int)),
        ("i32", Of::Int, [-2_000_000_000, 2_147_483_647, 0].map(Int)),
        ("u32", Of::Int, [4_000_000_000, 4_294_967_295, 0].map(Int)),
        ("i64", Of::Int, [42, i64::MIN, 0].map(Int)),
        ("u64", Of::Int, [Int(43), UInt(u64::MAX), Int(0)]),
        ("d102", Of::Decimal, ["10.50", "-99999999.99", "0.00"].map(Decimal)),
        ("d3010", Of::Decimal, ["3.1415926535", "12345678901234567890.0123456789", "0.0000001000"].map(Decimal)),
        ("f", Of::Float, [1.1, 3.4e38, 0.0].map(Float)),
        ("d", Of::Double, [0.1, f64::MAX, 0.0].map(Double)),
        ("vc", Of::Text, ["héllo 🚀", "_=%*[]{}", ""].map(Text)),
        ("vcnum", Of::Text, ["00123", "-7", ""].map(Text)),
        ("vcnum2", Of::Text, ["1.50", "1e5", "0"].map(Text)),
        ("tx", Of::Text, ["text \"q\" \\ \n\t\r", "null", ""].map(Text)),
        ("ch", Of::Text, ["ab", "abcde", ""].map(Text)),
        ("en", Of::Text, ["7", "a", "b"].map(Text)),
        ("st", Of::Text, ["x,y", "x", ""].map(Text)),
        ("js", Of::Json, [document, "[]", "{}"].map(Json)),
        ("dt", to(0), [at(2025, 1, 15, (10, 30, 0), 0), at(9999, 12, 31, (23, 59, 59), 0), leap_day]),
        ("dt6", to(6), [at(2025, 1, 15, (10, 30, 0), 123_456), at(1000, 1, 1, (0, 0, 0), 1), leap_day]),
        ("ts", to(0), [at(2025, 1, 15, (10, 30, 0), 0), at(2038, 1, 19, (3, 14, 7), 0), leap_day]),
        ("ts3", to(3), [at(2025, 1, 15, (10, 30, 0), 120_000), at(1970, 1, 1, (0, 0, 1), 1000), leap_day]),
        ("da", Of::Date, [day(1993, 6, 15), day(9999, 12, 31), day(2000, 2, 29)]),
        ("ti", Of::Time { fraction: 0 }, [Cell::Time(time(12, 34, 56, 0)), Cell::Time(-longest), midnight]),
        ("ti3", Of::Time { fraction: 3 }, [Cell::Time(time(1, 2, 3, 120_000)), Cell::Time(longest), midnight]),
        ("yr", Of::Year, [2025, 2155, 1970].map(Int)),
        ("b1", Of::Bit, [Bytes(&[1]), Bytes(&[0]), Bytes(&[0])]),
        ("b8", Of::Bit, [Bytes(&[0b0110_1010]), Bytes(&[255]), Bytes(&[0])]),
        ("b16", Of::Bit, [Bytes(&[0b0110_1010, 0b0110_0001]), Bytes(&[255, 255]), Bytes(&[0, 0])]),
        ("bi", Of::Binary, [Bytes(b"ab\0\0"), Bytes(b"\0\xff\0\xff"), Bytes(b"\0\0\0\0")]),
        ("vb", Of::Binary, [Bytes(b"bin"), Bytes(b"\x80"), Bytes(b"")]),
        ("bl", Of::Binary, [Bytes(b"blob"), Bytes(b"\xc3\xa9\xff"), Bytes(b"")]),
    ]
}

fn columns() -> Vec<Column> {
    table().map(|(name, kind, _)| Column::new(name, kind)).into()
}

fn rows() -> [Vec<Cell<'static>>; 4] {
    let row = |at: usize| table().map(|(.., cells)| cells[at]).to_vec();
    let mut nulls = vec![Cell::Null; 36];
    nulls[0] = Cell::Int(2);
    [row(0), nulls, row(1), row(2)]
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
