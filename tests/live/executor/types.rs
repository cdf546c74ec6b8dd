//! The table of `docs/types.md`, row by row: what each type becomes in each format, and which fields hold it.

use mrc_core::{RowFormat, params};
use mrc_store::ParamMode;
use mrc_tests::Database;
use serde::de::DeserializeOwned;

use super::{config, executor, read};

const PAGE: &str = include_str!("../../../docs/types.md");

/// The cells of each row of the page's first table, below its head.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, table) = PAGE.split_once("## What each type becomes").unwrap();
    let lines = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn code(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn holds(field: &str, json: &str) -> bool {
    fn of<T: DeserializeOwned>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }
    match field {
        "i8" => of::<i8>(json),
        "u8" => of::<u8>(json),
        "u16" => of::<u16>(json),
        "i32" => of::<i32>(json),
        "u32" => of::<u32>(json),
        "i64" => of::<i64>(json),
        "u64" => of::<u64>(json),
        "f32" => of::<f32>(json),
        "f64" => of::<f64>(json),
        "String" => of::<String>(json),
        "Value" => of::<serde_json::Value>(json),
        other => panic!("the page names a type that this test doesn't know: {other}"),
    }
}

#[tokio::test]
async fn the_page_is_right() {
    let database = Database::create().await;
    let modes = [ParamMode::Auto, ParamMode::Prepared].map(|mode| executor(config(&database).param_mode(mode)));
    let formats = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];
    let rows = rows();
    assert!(rows.len() > 25, "{rows:?}");
    for (at, row) in rows.into_iter().enumerate() {
        let [of, value, expected @ .., field, common] = row.as_slice() else { panic!("{row:?}") };
        let (of, value) = (code(of)[0], code(value)[0]);
        database.execute(&format!("CREATE TABLE t{at} (a {of}); INSERT INTO t{at} VALUES ({value}), (NULL)")).await;
        for (format, expected) in formats.into_iter().zip(expected) {
            let expected = code(expected)[0];
            for executor in &modes {
                let sql = format!("SELECT a FROM t{at} ORDER BY a IS NULL");
                let json = read(executor, format, &sql, &params! {}).await.unwrap();
                assert_eq!(json, format!(r#"[{{"a":{expected}}},{{"a":null}}]"#), "{of} {format:?}");
            }
            let fields = if format == RowFormat::Canonical { vec![field, common] } else { vec![common] };
            for field in fields.into_iter().flat_map(|field| code(field)) {
                assert!(holds(field, expected), "{of}: a {field} doesn't hold {expected}");
            }
        }
    }
}
