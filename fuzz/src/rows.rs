//! Rows of any columns and cells, matching or not.

use std::mem::discriminant;

use arbitrary::Unstructured;
use mrc_core::{Cell, Column, ColumnKind, Date, RowEncoder, RowError, RowFormat};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::input::{any, below, datetime, one, time};

const FORMATS: [RowFormat; 3] = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];
const NAMES: &[&str] = &["id", "id", "a", "10", "9", "01", "", "\"", "é", "t.id", "\u{2028}\n"];

/// Announces some columns, then calls the encoder in any order.
pub fn rows(data: &[u8]) {
    for format in FORMATS {
        let mut input = Unstructured::new(data);
        let columns: Vec<Column> = (0..below(&mut input, 6)).map(|_| column(&mut input)).collect();
        let mut rows = RowEncoder::new(format);
        let mut has_json = false;
        let result = push(&mut input, &columns, &mut rows, &mut has_json);
        let (whole, bytes) = (rows.rows(), rows.len());
        let answer = rows.finish();
        if let Err(error) = result {
            assert_eq!(answer, Err(error), "the first error stays");
            continue;
        }
        let Ok(answer) = answer else { continue };
        let text = str::from_utf8(&answer).expect("an answer is UTF-8");
        let parsed: Vec<IgnoredAny> = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"));
        assert!((whole..=whole + 1).contains(&(parsed.len() as u64)), "{whole} rows in {text}");
        assert!(parsed.len() as u64 > whole || bytes == answer.len(), "{bytes} bytes in {text}");
        // A document may hold JSON that no program can hold: 1e999, half a surrogate pair.
        if !has_json {
            let objects: Vec<Map<String, Value>> =
                serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"));
            let all = |object: &Map<String, Value>| object.len() == columns.len();
            // The peers' objects have one member for all columns with one name.
            assert!(format != RowFormat::Canonical || objects.iter().all(all), "columns are missing in {text}");
        }
    }
}

fn push<'a>(
    input: &mut Unstructured<'a>,
    columns: &[Column],
    rows: &mut RowEncoder,
    has_json: &mut bool,
) -> Result<(), RowError> {
    rows.columns(columns)?;
    for _ in 0..below(input, 4) {
        // Some rows begin late or never, have a cell too many, or don't end.
        let odd = below(input, 16);
        if odd != 1 {
            rows.begin_row();
        }
        for at in 0..columns.len() + usize::from(odd == 2) {
            let cell = cell(input, columns.get(at).map(|column| column.kind));
            *has_json |= matches!(cell, Cell::Json(_));
            rows.cell(cell)?;
        }
        if odd != 3 {
            rows.end_row();
        }
    }
    Ok(())
}

/// The kinds of columns, each with the cell that a driver would give: its number in [`cell`].
const KINDS: [(ColumnKind, usize); 14] = [
    (ColumnKind::Int, 1),
    (ColumnKind::Decimal, 5),
    (ColumnKind::Float, 3),
    (ColumnKind::Double, 4),
    (ColumnKind::Year, 1),
    (ColumnKind::Bit, 7),
    (ColumnKind::Text, 6),
    (ColumnKind::Binary, 7),
    (ColumnKind::Json, 8),
    (ColumnKind::Date, 9),
    (ColumnKind::DateTime { fraction: 0 }, 10),
    (ColumnKind::Time { fraction: 0 }, 11),
    (ColumnKind::Geometry, 7),
    (ColumnKind::Null, 0),
];

fn column(input: &mut Unstructured<'_>) -> Column {
    let digits = below(input, 8) as u8;
    let name = one(input, NAMES);
    let (mut kind, _) = one(input, &KINDS);
    if let ColumnKind::DateTime { fraction } | ColumnKind::Time { fraction } = &mut kind {
        *fraction = digits;
    }
    let column = Column::new(name, kind);
    match below(input, 3) {
        0 => column,
        1 => column.in_table(""),
        _ => column.in_table(one(input, &["t", "u", "t.id"])),
    }
}

/// Returns a cell: mostly one that a driver would give for the column.
fn cell<'a>(input: &mut Unstructured<'a>, kind: Option<ColumnKind>) -> Cell<'a> {
    let is_kind = |known: &&(ColumnKind, usize)| kind.is_some_and(|kind| discriminant(&kind) == discriminant(&known.0));
    let fitting = KINDS.iter().find(is_kind).map_or(0, |(_, cell)| *cell);
    let which = if below(input, 4) == 3 { below(input, 12) } else { fitting };
    match which {
        0 => Cell::Null,
        1 => Cell::Int(any(input)),
        2 => Cell::UInt(any(input)),
        3 => Cell::Float(any(input)),
        4 => Cell::Double(any(input)),
        5 => {
            Cell::Decimal(one(input, &["0", "-10.50", "00.100", "99999999999999999999.99", ".5", "5.", "-", "1e5", ""]))
        }
        6 => match below(input, 4) {
            0 => Cell::Text(one(input, &["00123", "-7", "5.", "1.50", "--1", "99999999999999999999999999", "1e5", ""])),
            _ => Cell::Text(any(input)),
        },
        7 => Cell::Bytes(bytes(input)),
        8 => Cell::Json(one(
            input,
            &["{}", "[1e999]", " {\"b\":1,\"1\":2,\"b\":3} ", "\"12\"", "\"\\ud800\"", "nul", ""],
        )),
        9 => Cell::Date(date(input)),
        10 => Cell::DateTime(datetime(input, date)),
        _ => Cell::Time(time(input)),
    }
}

/// Returns any bytes, or a point of a GEOMETRY column that was cut or spoiled.
fn bytes<'a>(input: &mut Unstructured<'a>) -> &'a [u8] {
    const POINT: &[u8] = &[0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40];
    match below(input, 4) {
        0 => &POINT[..below(input, POINT.len() + 1)],
        _ => any(input),
    }
}

/// Returns a date: mostly within the ranges that a date has.
fn date(input: &mut Unstructured<'_>) -> Date {
    match below(input, 8) {
        7 => Date { year: any(input), month: any(input), day: any(input) },
        _ => Date {
            year: one(input, &[0, 1, 5, 31, 32, 99, 100, 1582, 1900, 2000, 2024, 2025, 9999]),
            month: below(input, 13) as u8,
            day: below(input, 32) as u8,
        },
    }
}
