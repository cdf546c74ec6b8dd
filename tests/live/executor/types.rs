//! Checks the table of `docs/types.md`: the text of each type in each format, and its fields.

use std::collections::HashMap;

use mrc_core::{RowFormat, RowsDeserializer, params};
use mrc_store::ParamMode;
use mrc_tests::Database;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{FORMATS, config, executor, read};

const PAGE: &str = include_str!("../../../docs/types.md");

/// Returns the cells of each row of the page's first table, below its head.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, table) = PAGE.split_once("## What each type becomes").unwrap();
    let lines = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn code(cell: &'static str) -> Vec<&'static str> {
    fields(cell).map(|(field, _)| field).collect()
}

/// Returns the fields that a cell names, each with the text after it.
fn fields(cell: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut parts = cell.split('`').skip(1);
    std::iter::from_fn(move || Some((parts.next()?, parts.next().unwrap_or_default())))
}

#[derive(Deserialize)]
struct Row<T> {
    a: Option<T>,
}

#[derive(Deserialize, PartialEq)]
struct Document {
    a: [i64; 2],
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Paid,
}

/// The rows of each format, with a value and a NULL.
type Written = (RowFormat, String);

/// Returns whether the values are the same in each format. Returns `None` if a field can't be read.
fn alike<T: DeserializeOwned + PartialEq>(written: &[Written]) -> Option<bool> {
    let values = written.iter().map(|(format, json)| {
        let mut document = serde_json::Deserializer::from_str(json);
        let rows: Vec<Row<T>> = Vec::deserialize(RowsDeserializer::new(&mut document, *format)).ok()?;
        let [value, null] = <[_; 2]>::try_from(rows).ok()?;
        if null.a.is_some() { None } else { value.a }
    });
    let values: Vec<T> = values.collect::<Option<_>>()?;
    Some(values.windows(2).all(|pair| pair[0] == pair[1]))
}

fn read_as(field: &str, written: &[Written]) -> Option<bool> {
    let alike = match field {
        "bool" => alike::<bool>,
        "i8" => alike::<i8>,
        "u8" => alike::<u8>,
        "u16" => alike::<u16>,
        "i32" => alike::<i32>,
        "u32" => alike::<u32>,
        "i64" => alike::<i64>,
        "u64" => alike::<u64>,
        "f32" => alike::<f32>,
        "f64" => alike::<f64>,
        "Decimal" => alike::<rust_decimal::Decimal>,
        "String" => alike::<String>,
        "Vec<u8>" => alike::<Vec<u8>>,
        "enum" => alike::<State>,
        "struct" => alike::<Document>,
        "HashMap" => alike::<HashMap<String, Vec<i64>>>,
        "Vec" => alike::<Vec<i64>>,
        "Value" => alike::<serde_json::Value>,
        "NaiveDate" => alike::<chrono::NaiveDate>,
        "NaiveDateTime" => alike::<chrono::NaiveDateTime>,
        "DateTime<Utc>" => alike::<chrono::DateTime<chrono::Utc>>,
        "NaiveTime" => alike::<chrono::NaiveTime>,
        "Date" => alike::<time::Date>,
        "PrimitiveDateTime" => alike::<time::PrimitiveDateTime>,
        "OffsetDateTime" => alike::<time::OffsetDateTime>,
        "Time" => alike::<time::Time>,
        other => panic!("the page names a type that this test doesn't know: {other}"),
    };
    alike(written)
}

#[tokio::test]
async fn the_page_is_right() {
    let database = Database::create().await;
    let modes = [ParamMode::Auto, ParamMode::Prepared].map(|mode| executor(config(&database).param_mode(mode)));
    let rows = rows();
    assert!(rows.len() > 25, "{rows:?}");
    for (at, row) in rows.into_iter().enumerate() {
        let [of, value, expected @ .., field, common] = row.as_slice() else { panic!("{row:?}") };
        let (of, value) = (code(of)[0], code(value)[0]);
        database.execute(&format!("CREATE TABLE t{at} (a {of}); INSERT INTO t{at} VALUES ({value}), (NULL)")).await;
        let mut written = Vec::new();
        for (format, expected) in FORMATS.into_iter().zip(expected) {
            let expected = format!(r#"[{{"a":{}}},{{"a":null}}]"#, code(expected)[0]);
            for executor in &modes {
                let sql = format!("SELECT a FROM t{at} ORDER BY a IS NULL");
                let json = read(executor, format, &sql, &params! {}).await.unwrap();
                assert_eq!(json, expected, "{of} {format:?}");
            }
            written.push((format, expected));
        }
        for field in code(field) {
            assert!(read_as(field, &written[..1]).is_some(), "{of}: a {field} doesn't hold {value}");
        }
        for (field, note) in fields(common) {
            let formats = if note.contains("not python") { 2 } else { 3 };
            let expected = Some(!note.contains('≈'));
            assert_eq!(read_as(field, &written[..formats]), expected, "{of}, {value}: {field} in {written:?}");
        }
    }
}
