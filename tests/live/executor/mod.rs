//! The executors on real databases: the suite, every column type, and faults.

mod answers;
mod cancelled;
mod connections;
mod faults;
mod histories;
mod sessions;
mod sqlx;
mod text;
mod transactions;
mod types;

use std::path::Path;

use mrc_core::{Params, RowEncoder, RowFormat, params};
use mrc_store::{ExecuteError, MySqlConfig, MySqlExecutor, QueryExecutor, SqliteExecutor, conformance};
use mrc_tests::{Database, SqlKind};

pub(crate) const FORMATS: [RowFormat; 3] = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];

fn config(database: &Database) -> MySqlConfig {
    MySqlConfig::from_url(&database.url()).unwrap()
}

fn executor(config: MySqlConfig) -> MySqlExecutor {
    MySqlExecutor::new(config).unwrap()
}

async fn read(
    executor: &dyn QueryExecutor,
    format: RowFormat,
    sql: &str,
    params: &Params,
) -> Result<String, ExecuteError> {
    let mut rows = RowEncoder::new(format);
    executor.query(sql, params, &mut rows).await?;
    Ok(String::from_utf8(rows.finish()?.to_vec()).unwrap())
}

/// Runs any statement, and returns its rows.
async fn execute(executor: &dyn QueryExecutor, sql: &str) -> Result<String, ExecuteError> {
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    executor.execute(sql, &params! {}, &mut rows).await?;
    Ok(String::from_utf8(rows.finish()?.to_vec()).unwrap())
}

async fn canonical(executor: &dyn QueryExecutor, sql: &str) -> Result<String, ExecuteError> {
    read(executor, RowFormat::Canonical, sql, &params! {}).await
}

fn golden(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)).unwrap()
}

async fn golden_types() -> (Database, MySqlExecutor) {
    let database = Database::with(&golden("types.sql")).await;
    let executor = executor(config(&database));
    (database, executor)
}

/// Runs the whole suite. It closes the executor.
async fn passes(executor: &dyn QueryExecutor) {
    conformance::executor::executor_suite(executor).await;
    conformance::executor::transactions(executor).await;
    conformance::executor::refuses_calls_after_close(executor).await;
}

#[tokio::test]
async fn sqlite_passes_the_suite() {
    passes(&SqliteExecutor::in_memory().unwrap()).await;
}

#[tokio::test]
async fn a_server_passes_the_suite() {
    let database = Database::create().await;
    passes(&executor(config(&database).pool_max(5))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_passes_the_suite_on_several_threads() {
    let database = Database::create().await;
    passes(&executor(config(&database).pool_max(3).statement_cache(2))).await;
}

#[tokio::test]
async fn a_server_passes_the_suite_with_a_read_only_user() {
    let database = Database::create().await;
    let (reader, password) = database.reader().await;
    conformance::executor::executor_suite(&executor(config(&database).user(&reader).password(password))).await;
    database.execute(&format!("DROP USER {reader}@'%'")).await;
}

/// All columns of the golden table but the two of type TIME, on which the PyPI peer fails.
pub(crate) const PYTHON_COLUMNS: &str = "id,t1,t8,u8,i16,i24,i32,u32,i64,u64,d102,d3010,f,d,vc,vcnum,vcnum2,tx,ch,en,st,\
                                         js,dt,dt6,ts,ts3,da,yr,b1,b8,b16,bi,vb,bl";

/// Canonical rows lose nothing, and the others are as the peers store them.
#[tokio::test]
async fn every_type_is_stored_as_in_the_golden_files() {
    let (_database, executor) = golden_types().await;
    for (format, name, columns) in [
        (RowFormat::Canonical, "canonical", "*"),
        (RowFormat::TypeScript, "typescript", "*"),
        (RowFormat::Python, "python", PYTHON_COLUMNS),
    ] {
        let sql = format!("SELECT {columns} FROM golden_types WHERE id = ?");
        for (id, line) in (1..).zip(golden(&format!("types.{name}.jsonl")).lines()) {
            let json = read(&executor, format, &sql, &params! { "Id" => id }).await.unwrap();
            assert_eq!(json, SqlKind::of_this_run().kept(line), "{name}, row {id}");
        }
    }
}

#[tokio::test]
async fn odd_types_come_whole() {
    let database = Database::with(
        "SET sql_mode = '';
         CREATE TABLE odd (z INT(8) ZEROFILL, d0 DATE, dt0 DATETIME, ts0 TIMESTAMP(6) NULL, half DATE, t TIME, t6 TIME(6),
           b BIT(64), dec65 DECIMAL(65,30), g GEOMETRY, big BIGINT UNSIGNED, small BIGINT);
         INSERT INTO odd VALUES (42, '0000-00-00', '0000-00-00', '0000-00-00', '2025-02-00', '-838:59:59', '25:00:00.000001',
           b'1111111111111111111111111111111111111111111111111111111111111111',
           12345678901234567890123456789012345.123456789012345678901234567890, POINT(1, 2),
           18446744073709551615, -9223372036854775808)",
    )
    .await;
    let executor = executor(config(&database));
    let check = async |what: &str, expected: &str| {
        let json = canonical(&executor, &format!("SELECT {what} AS a FROM odd")).await.unwrap();
        assert_eq!(json, format!(r#"[{{"a":{expected}}}]"#), "{what}");
    };
    check("z", "42").await;
    check("d0", r#""0000-00-00""#).await;
    check("dt0", r#""0000-00-00T00:00:00""#).await;
    check("ts0", r#""0000-00-00T00:00:00.000000""#).await;
    check("half", r#""2025-02-00""#).await;
    check("t", r#""-838:59:59""#).await;
    check("t6", r#""25:00:00.000001""#).await;
    check("b", "18446744073709551615").await;
    check("MAX(b)", "18446744073709551615").await;
    check("dec65", "12345678901234567890123456789012345.12345678901234567890123456789").await;
    check("g", r#""AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==""#).await;
    check("big", "18446744073709551615").await;
    check("small", "-9223372036854775808").await;
    check("NULL", "null").await;
    check("CONCAT(small, '')", r#""-9223372036854775808""#).await;
    check("_latin1 x'E9'", r#""é""#).await;
    check("CAST(0.1 AS FLOAT)", "0.1").await;
    check("MAKETIME(1, 2, 3.5)", r#""01:02:03.5""#).await;
    for (own, value, expected) in SqlKind::of_this_run().own_types {
        database.execute(&format!("ALTER TABLE odd ADD own {own}; UPDATE odd SET own = {value}")).await;
        check("own", expected).await;
        database.execute("ALTER TABLE odd DROP own").await;
    }
}

#[tokio::test]
async fn json_is_distinguished_from_text() {
    let database = Database::with(
        "CREATE TABLE plain (js LONGTEXT COLLATE utf8mb4_bin);
         CREATE TABLE `we``ird` (js JSON, `od``d` JSON, txt LONGTEXT COLLATE utf8mb4_bin);
         CREATE VIEW seen AS SELECT js AS renamed FROM `we``ird`;
         INSERT INTO plain VALUES ('{ }'); INSERT INTO `we``ird` VALUES ('{ }', '[ 1 ]', '{ }')",
    )
    .await;
    let executor = executor(config(&database));
    let weird = canonical(&executor, "SELECT js AS a, `od``d` AS b, txt, js AS c FROM `we``ird`").await.unwrap();
    assert_eq!(weird, r#"[{"a":{},"b":[1],"txt":"{ }","c":{}}]"#);
    assert_eq!(canonical(&executor, "SELECT * FROM plain").await.unwrap(), r#"[{"js":"{ }"}]"#);
    let kind = SqlKind::of_this_run();
    let seen = format!(r#"[{{"renamed":{}}}]"#, kind.json_of_view);
    assert_eq!(canonical(&executor, "SELECT * FROM seen").await.unwrap(), seen);
    let both = "SELECT plain.js AS p, w.js AS w FROM plain, `we``ird` AS w";
    assert_eq!(canonical(&executor, both).await.unwrap(), r#"[{"p":"{ }","w":{}}]"#);
    let expression = "SELECT JSON_EXTRACT(js, '$') AS a FROM `we``ird`";
    let extracted = format!(r#"[{{"a":{}}}]"#, kind.json_of_expression);
    assert_eq!(canonical(&executor, expression).await.unwrap(), extracted);
}

#[tokio::test]
async fn json_columns_are_found_by_a_read_only_user() {
    let database = Database::with("CREATE TABLE t (js JSON); INSERT INTO t VALUES ('{ }')").await;
    let (reader, password) = database.reader().await;
    let executor = executor(config(&database).user(&reader).password(password));
    assert_eq!(canonical(&executor, "SELECT js FROM t").await.unwrap(), r#"[{"js":{}}]"#);
    database.execute(&format!("DROP USER {reader}@'%'")).await;
}

#[tokio::test]
async fn a_warm_query_is_one_round_trip() {
    let database = Database::with("CREATE TABLE t (id INT, js JSON); INSERT INTO t VALUES (1, '{}')").await;
    let executor = executor(config(&database).pool_max(1));
    let sql = "SELECT * FROM t WHERE id = ?";
    let ask = async |times: i32| {
        for id in 0..times {
            read(&executor, RowFormat::Canonical, sql, &params! { "Id" => id }).await.unwrap();
        }
        // The status is of the same connection, so this query counts too, by each server's rules.
        let asked = "SHOW SESSION STATUS WHERE Variable_name IN ('Com_stmt_prepare', 'Com_stmt_execute', 'Questions')";
        let json = canonical(&executor, asked).await.unwrap();
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        rows.iter().map(|row| row["Value"].as_str().unwrap().parse().unwrap()).collect::<Vec<i64>>()
    };
    ask(1).await;
    let (first, second, third) = (ask(10).await, ask(10).await, ask(30).await);
    let more = |at: usize| third[at] - second[at] - (second[at] - first[at]);
    assert_eq!([more(0), more(1), more(2)], [20, 0, 20], "executed, prepared, and in all, for 20 more");
}
