//! Tests of everything around the values: names, order, rows and errors.

use super::*;

/// Encodes integer columns with these names: 1, 2, 3 and on.
fn named(format: RowFormat, names: &[(&str, Option<&str>)]) -> Result<String, RowError> {
    let columns: Vec<Column> = names
        .iter()
        .map(|(name, table)| Column { table: table.map(str::to_owned), ..Column::new(*name, ColumnKind::Int) })
        .collect();
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
