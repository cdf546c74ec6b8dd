//! Tests of everything around the values: names, order, rows and errors, and the rows of a batch.

use bytes::Bytes;

use super::*;
use crate::value::{Decimal, Value};

/// Encodes integer columns with these names: 1, 2, 3 and on.
fn named(format: RowFormat, names: &[(&str, Option<&str>)]) -> Result<String, RowError> {
    let int = |name: &str| Column::new(name, ColumnKind::Int);
    let columns = names.iter().map(|(name, table)| Column { table: table.map(str::to_owned), ..int(name) });
    let columns: Vec<Column> = columns.collect();
    let cells: Vec<Cell<'_>> = (1..).take(names.len()).map(Cell::Int).collect();
    encode(format, &columns, &cells)
}

#[test]
fn names_that_repeat_or_count() {
    let plain = [("1", None), ("a", None), ("0", None), ("é\"", None)];
    assert_eq!(named(Canonical, &plain).unwrap(), r#"[{"1":1,"a":2,"0":3,"é\"":4}]"#);
    assert_eq!(named(TypeScript, &plain).unwrap(), r#"[{"0":3,"1":1,"a":2,"é\"":4}]"#);

    let twice = [("id", Some("t")), ("id", Some("u")), ("id", Some("u")), ("b", Some(""))];
    assert_eq!(named(Canonical, &twice), Err(RowError::DuplicateColumn { name: "id".into() }));
    assert_eq!(named(TypeScript, &twice).unwrap(), r#"[{"id":3,"b":4}]"#);
    assert_eq!(named(Python, &twice).unwrap(), r#"[{"id":1,"u.id":3,"b":4}]"#);
    assert_eq!(named(Python, &[("a", Some("")), ("a", Some(""))]).unwrap(), r#"[{"a":1,".a":2}]"#);
    assert_eq!(named(Python, &[("a", None), ("a", None)]), Err(RowError::DuplicateColumn { name: "a".into() }));
}

#[test]
fn several_rows_in_another_order() {
    let mut rows = RowEncoder::new(TypeScript);
    let names = [("b", ColumnKind::Int), ("a", ColumnKind::Int), ("1", ColumnKind::Text), ("a", ColumnKind::Int)];
    rows.columns(&names.map(|(name, kind)| Column::new(name, kind))).unwrap();
    for (number, text) in [(1, "x"), (2, "7")] {
        let cells = [Cell::Int(number), Cell::Null, Cell::Text(text), Cell::Int(number * 10)];
        begin(&mut rows, &cells).unwrap();
        rows.end_row();
    }
    assert_eq!(rows.rows(), 2);
    let length = rows.len();
    let json = rows.finish().unwrap();
    assert_eq!(json, r#"[{"1":"x","b":1,"a":10},{"1":7,"b":2,"a":20}]"#);
    assert_eq!(json.len(), length);
}

#[test]
fn no_rows_and_no_columns_are_an_empty_array() {
    for format in [Canonical, TypeScript, Python] {
        assert_eq!(RowEncoder::new(format).finish().unwrap(), "[]");
        let mut rows = RowEncoder::new(format);
        rows.columns(&[Column::new("a", ColumnKind::Int)]).unwrap();
        assert_eq!((rows.rows(), rows.len()), (0, 2));
        assert_eq!(rows.finish().unwrap(), "[]");
    }
}

/// Returns an encoder with the columns `a` and `b` and one whole row.
fn begun() -> RowEncoder {
    let mut rows = RowEncoder::new(Canonical);
    rows.columns(&[Column::new("a", ColumnKind::Int), Column::new("b", ColumnKind::Json)]).unwrap();
    begin(&mut rows, &[Cell::Int(1), Cell::Null]).unwrap();
    rows.end_row();
    rows
}

#[test]
fn a_wrong_number_of_cells_is_an_error() {
    let mut few = begun();
    begin(&mut few, &[Cell::Int(2)]).unwrap();
    few.end_row();
    let error = RowError::CellCount { expected: 2, given: 1 };
    assert_eq!(few.cell(Cell::Int(3)), Err(error.clone()));
    assert_eq!(few.finish(), Err(error.clone()));

    let mut open = begun();
    begin(&mut open, &[Cell::Int(2)]).unwrap();
    assert_eq!(open.finish(), Err(error));

    let mut many = begun();
    begin(&mut many, &[Cell::Int(2), Cell::Null]).unwrap();
    let error = RowError::CellCount { expected: 2, given: 3 };
    assert_eq!(many.cell(Cell::Null), Err(error.clone()));
    many.end_row();
    many.begin_row();
    assert_eq!((many.rows(), many.cell(Cell::Null)), (1, Err(error)));
    assert_eq!(many.finish(), Err(RowError::CellCount { expected: 2, given: 3 }));

    let mut none = RowEncoder::new(Canonical);
    none.begin_row();
    assert_eq!(none.cell(Cell::Null), Err(RowError::CellCount { expected: 0, given: 1 }));
}

#[test]
fn a_bad_cell_takes_its_row_away_and_stays_an_error() {
    let mut rows = begun();
    begin(&mut rows, &[Cell::Int(2)]).unwrap();
    let error = RowError::InvalidJson { column: "b".into() };
    assert_eq!(rows.cell(Cell::Json("[1]],[")), Err(error.clone()));
    rows.end_row();
    assert_eq!(rows.columns(&[]), Err(error.clone()));
    assert_eq!(rows.finish(), Err(error));
}

#[test]
fn late_columns_are_an_error() {
    assert_eq!(begun().columns(&[Column::new("c", ColumnKind::Int)]), Err(RowError::LateColumns));
}

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
