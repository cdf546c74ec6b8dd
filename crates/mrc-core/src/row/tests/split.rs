//! Tests of the rows of a batch.

use bytes::Bytes;

use super::*;
use crate::value::{Decimal, Value};

const KINDS: [(&str, ColumnKind); 2] = [("id", ColumnKind::Int), ("name", ColumnKind::Text)];

fn columns(kinds: &[(&str, ColumnKind)]) -> Vec<Column> {
    kinds.iter().map(|(name, kind)| Column::new(*name, *kind)).collect()
}

fn split(
    format: RowFormat,
    kinds: &[(&str, ColumnKind)],
    asked: Vec<Value>,
    rows: &[&[Cell<'_>]],
) -> Result<Vec<Bytes>, RowError> {
    let mut encoder = RowEncoder::split(format, "id", asked);
    encoder.columns(&columns(kinds))?;
    for row in rows {
        begin(&mut encoder, row)?;
        encoder.end_row();
    }
    assert_eq!(encoder.rows(), rows.len() as u64);
    let size = encoder.len();
    let documents = encoder.finish_split()?;
    let written: usize =
        documents.iter().filter(|document| document.len() > 2).map(|document| document.len() - 1).sum();
    assert_eq!(size, 2 + written);
    Ok(documents)
}

/// Returns which of the asked values has the only row.
fn place(kind: ColumnKind, asked: Vec<Value>, cell: Cell<'_>) -> Option<usize> {
    let documents = split(Canonical, &[("id", kind)], asked, &[&[cell]]).ok()?;
    documents.iter().position(|document| document != "[]")
}

#[test]
fn each_value_has_its_own_rows_in_their_order() {
    let rows: [&[Cell<'_>]; 4] = [
        &[Cell::Int(7), Cell::Text("a")],
        &[Cell::Int(6), Cell::Text("1")],
        &[Cell::Int(7), Cell::Text("b")],
        &[Cell::Int(7), Cell::Text("c")],
    ];
    let documents = split(TypeScript, &KINDS, vec![6.into(), 8.into(), 7.into()], &rows).unwrap();
    let expect = [r#"[{"id":6,"name":1}]"#, "[]", r#"[{"id":7,"name":"a"},{"id":7,"name":"b"},{"id":7,"name":"c"}]"#];
    assert_eq!(documents, expect);
}

#[test]
fn each_document_is_the_one_of_a_query_for_one_value() {
    // The names count as array indexes, so the members have another order than the columns.
    let kinds = [("b", ColumnKind::Decimal), ("id", ColumnKind::Int), ("1", ColumnKind::Text)];
    for format in [Canonical, TypeScript, Python] {
        let rows = [6, 7, 6].map(|id| [Cell::Decimal("1.50"), Cell::Int(id), Cell::Text("x")]);
        let rows: Vec<&[Cell<'_>]> = rows.iter().map(|row| &row[..]).collect();
        let documents = split(format, &kinds, vec![6.into(), 7.into()], &rows).unwrap();
        for (id, document) in [6, 7].into_iter().zip(documents) {
            let mut single = RowEncoder::new(format);
            single.columns(&columns(&kinds)).unwrap();
            for row in rows.iter().filter(|row| row[1] == Cell::Int(id)) {
                begin(&mut single, row).unwrap();
                single.end_row();
            }
            assert_eq!(document, single.finish().unwrap(), "{format:?} {id}");
        }
    }
}

#[test]
fn a_value_is_found_in_a_column_of_every_type() {
    use ColumnKind::{Binary, Bit, Date as Day, DateTime, Decimal as Digits, Int, Text};
    let day = date(2025, 1, 15);
    let noon = at(2025, 1, 15, (12, 0, 0), 0);
    let ten = || Value::from(Decimal::new("10.0").unwrap());
    let check = |kind, value: Value, cell| assert_eq!(place(kind, vec![0.into(), value], cell), Some(1), "{cell:?}");
    check(Int, 6.into(), Cell::UInt(6));
    check(Int, u64::MAX.into(), Cell::UInt(u64::MAX));
    check(Int, (-6).into(), Cell::Int(-6));
    check(Int, true.into(), Cell::Int(1));
    check(Int, "6".into(), Cell::Int(6));
    check(Int, ten(), Cell::Int(10));
    check(Digits, 10.into(), Cell::Decimal("10.00"));
    check(Digits, ten(), Cell::Decimal("10.00"));
    check(Text, 6.into(), Cell::Text("6"));
    check(Text, "é\"\\".into(), Cell::Text("é\"\\"));
    check(Text, b"abc".to_vec().into(), Cell::Text("abc"));
    check(Binary, "abc".into(), Cell::Bytes(b"abc"));
    check(Binary, vec![0_u8, 255].into(), Cell::Bytes(&[0, 255]));
    check(Bit, 5.into(), Cell::Bytes(&[0, 5]));
    check(Day, day.into(), Cell::Date(day));
    check(Day, "2025-01-15".into(), Cell::Date(day));
    check(DateTime { fraction: 3 }, noon.into(), Cell::DateTime(noon));
}

#[test]
fn a_row_that_was_not_asked_for_is_refused() {
    let not_asked = Err(RowError::NotAsked { column: "id".into() });
    let check = |kind, asked: Value, cell| {
        assert_eq!(split(Canonical, &[("id", kind)], vec![asked], &[&[cell]]), not_asked, "{cell:?}");
    };
    check(ColumnKind::Int, 6.into(), Cell::Int(7));
    check(ColumnKind::Int, 6.into(), Cell::Null);
    check(ColumnKind::Int, Value::Null, Cell::Null);
    check(ColumnKind::Text, "null".into(), Cell::Null);
    check(ColumnKind::Text, "Ann".into(), Cell::Text("ann"));
    check(ColumnKind::Text, 5.into(), Cell::Text("05"));
    check(ColumnKind::Text, "a".into(), Cell::Text("\"a\""));
}

#[test]
fn the_column_is_there_once() {
    let none = Err(RowError::NoSplitColumn { name: "id".into() });
    assert_eq!(split(Canonical, &[("name", ColumnKind::Text)], vec![6.into()], &[]), none);
    let twice = [("id", ColumnKind::Int), ("id", ColumnKind::Int)];
    assert_eq!(split(TypeScript, &twice, vec![6.into()], &[]), none);
}

#[test]
fn values_that_are_one_to_the_column_share_their_rows() {
    let asked = vec![6.into(), "6".into(), 7.into(), 6_u64.into()];
    let mut encoder = RowEncoder::split(Canonical, "id", asked);
    encoder.columns(&columns(&[("id", ColumnKind::Int)])).unwrap();
    begin(&mut encoder, &[Cell::Int(6)]).unwrap();
    encoder.end_row();
    let found = encoder.finish_split().unwrap();
    assert_eq!(found, [r#"[{"id":6}]"#, r#"[{"id":6}]"#, "[]", r#"[{"id":6}]"#]);
}

#[test]
fn a_row_with_too_few_cells_is_in_no_document() {
    let mut encoder = RowEncoder::split(Canonical, "id", vec![6.into()]);
    encoder.columns(&columns(&KINDS)).unwrap();
    begin(&mut encoder, &[Cell::Int(6)]).unwrap();
    assert_eq!(encoder.finish_split(), Err(RowError::CellCount { expected: 2, given: 1 }));
}
