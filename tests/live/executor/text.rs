//! Params written into the text: the server reads exactly the given values.

use mrc_core::{Params, RowFormat, Value, params};
use mrc_store::{ExecuteError, MySqlConfig, ParamMode, QueryExecutor, conformance};
use mrc_tests::{Database, cases};
use mysql_async::prelude::Queryable;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{FORMATS, config, executor, read};

const MODES: [&str; 3] = ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"];
fn by_text(database: &Database) -> MySqlConfig {
    config(database).param_mode(ParamMode::Text)
}

#[tokio::test]
async fn a_server_passes_the_suite_by_text() {
    let database = Database::create().await;
    for modes in MODES {
        let executor = executor(by_text(&database).pool_max(5).sql_mode(modes));
        conformance::executor::executor_suite(&executor).await;
        conformance::executor::refuses_calls_after_close(&executor).await;
    }
}

/// Strings that try to end their literal.
fn hostile() -> impl Strategy<Value = String> {
    let letters = "'\"`\\\0\x1a\n\r\t\x08;#?%_é😀\u{a0}\u{2028}ßx0 \u{bf5c}";
    let words = ["--", "-- ", "/*", "*/", "/*!", "' OR 1=1 -- ", "\\'", "''", "SELECT", "$$"];
    let letters = letters.chars().map(String::from);
    let pieces = prop::sample::select(letters.chain(words.map(String::from)).collect::<Vec<_>>());
    prop_oneof![
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()),
        any::<String>(),
        "[\\x00-\\x7f]{0,20}"
    ]
}

/// Asks on one connection for each `sql_mode`. Strings and columns stay the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_string_comes_back_and_no_token_is_added() {
    let database = Database::create().await;
    let cases = cases(120);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Handle::current();
    for modes in MODES {
        let executor = executor(by_text(&database).pool_max(1).sql_mode(modes));
        let strings = (hostile(), prop::collection::vec(any::<u8>(), 0..20), any::<i64>());
        let check = |(text, bytes, int): (String, Vec<u8>, i64)| {
            for format in FORMATS {
                let sql = "SELECT HEX(?) AS a, HEX(?) AS b,?AS c, 'end' AS d FROM DUAL WHERE ? <> 'x1' OR '?' = \"?\"";
                let sql = if modes.contains("ANSI") { sql.replace("\"?\"", "'?'") } else { sql.to_owned() };
                let params = params! { "A" => text.clone(), "B" => bytes.clone(), "C" => int, "D" => text.clone() };
                let run = read(&executor, format, &sql, &params);
                let rows = tokio::task::block_in_place(|| runtime.block_on(run)).unwrap();
                let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
                let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
                let same = |found: &serde_json::Value, expected: String| match found {
                    // The npm peer's rows turn digits into numbers.
                    serde_json::Value::Number(number) => number.as_f64() == expected.parse().ok(),
                    found => found == &serde_json::Value::from(expected),
                };
                prop_assert!(same(&rows[0]["a"], hex(text.as_bytes())), "{rows}");
                prop_assert!(same(&rows[0]["b"], hex(&bytes)), "{rows}");
                prop_assert!(same(&rows[0]["c"], int.to_string()) && rows[0]["d"] == "end", "{rows}");
                prop_assert_eq!(rows[0].as_object().map(serde_json::Map::len), Some(4));
            }
            Ok(())
        };
        TestRunner::new(config.clone()).run(&strings, check).unwrap();
    }
}

#[tokio::test]
async fn each_session_is_asked_for_its_own_mode() {
    let database = Database::create().await;
    let value = r"a\'b\\";
    let json = r#"[{"a":"a\\'b\\\\"}]"#;
    for modes in MODES {
        let executor = executor(by_text(&database).pool_max(1).sql_mode(modes));
        for format in FORMATS {
            let answer = async || read(&executor, format, "SELECT ? AS a", &params! { "A" => value }).await.unwrap();
            assert_eq!(answer().await, json, "{modes}");
            // After an error the server has reported no mode.
            read(&executor, format, "SELECT no_such_column", &params! {}).await.unwrap_err();
            assert_eq!(answer().await, json, "{modes}, after an error");
        }
        // A caller's session setting doesn't reach the next session.
        let mut rows = mrc_core::RowEncoder::new(RowFormat::TypeScript);
        let sql = "SET sql_mode = 'NO_BACKSLASH_ESCAPES'";
        executor.execute(sql, &Params::new(), &mut rows).await.unwrap();
        let mut rows = mrc_core::RowEncoder::new(RowFormat::TypeScript);
        executor.execute("SELECT ? AS a", &params! { "A" => value }, &mut rows).await.unwrap();
        assert_eq!(rows.finish().unwrap(), json, "{modes}");
    }
}

/// The server itself would run both statements: the driver lets it.
#[tokio::test]
async fn a_second_statement_is_never_sent() {
    let database = Database::with("CREATE TABLE t (a INT)").await;
    let executor = executor(by_text(&database).read_only(false));
    for sql in [
        "SELECT 1 AS a; INSERT INTO t VALUES (1)",
        "SELECT ? AS a;INSERT INTO t VALUES (1)",
        "DO 1;; INSERT INTO t VALUES (1)",
        "SELECT 1 AS a /*! ; INSERT INTO t VALUES (1) */",
        "SELECT 1 AS a -- \0; INSERT INTO t VALUES (1)",
        "SELECT '\\' AS a; INSERT INTO t VALUES (1) -- '; INSERT INTO t VALUES (1)",
    ] {
        let params = if sql.contains('?') {
            params! { "A" => 1 }
        } else {
            params! {}
        };
        let mut rows = mrc_core::RowEncoder::new(RowFormat::TypeScript);
        let error = executor.execute(sql, &params, &mut rows).await.unwrap_err();
        assert!(matches!(error, ExecuteError::Refused(_)) && !error.is_retryable(), "{sql}: {error:?}");
        let error = read(&executor, RowFormat::Python, sql, &params).await.unwrap_err();
        assert!(matches!(error, ExecuteError::Refused(_)), "{sql}: {error:?}");
    }
    let count: Option<u64> = database.admin().await.query_first("SELECT COUNT(*) FROM t").await.unwrap();
    assert_eq!(count, Some(0));
}

/// A read by text uses the sessions of other reads: the server refuses a write.
#[tokio::test]
async fn a_read_by_text_writes_nothing() {
    let database = Database::with(
        "CREATE TABLE t (a INT);
         CREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (1); RETURN 1; END",
    )
    .await;
    let executor = executor(by_text(&database));
    for sql in ["INSERT INTO t VALUES (1)", "SELECT f() AS a"] {
        let error = read(&executor, RowFormat::TypeScript, sql, &params! {}).await.unwrap_err();
        assert!(error.to_string().contains("1792"), "{sql}: {error}");
    }
}

/// Cases where a prepared statement fails or differs: its place decides a placeholder's type.
#[tokio::test]
async fn literals_keep_their_own_types() {
    let database = Database::with(
        "CREATE TABLE t (i INT, js JSON, b8 BIT(8), y YEAR);
         INSERT INTO t VALUES (NULL, '{\"b\": true}', b'01101010', 2025), (5, '{}', b'1', 2024)",
    )
    .await;
    let executor = executor(by_text(&database));
    let check = async |sql: &str, value: Value, expected: &str| {
        let answer = read(&executor, RowFormat::TypeScript, sql, &params! { "A" => value }).await.unwrap();
        assert_eq!(answer, expected, "{sql}");
    };
    check("SELECT COALESCE(i, ?) AS a FROM t", "none".into(), r#"[{"a":"none"},{"a":5}]"#).await;
    check("SELECT i FROM t WHERE y >= ? ORDER BY y", 25.into(), r#"[{"i":null}]"#).await;
    check("SELECT y FROM t ORDER BY y LIMIT ?", 1.0.into(), r#"[{"y":2024}]"#).await;
    check("SHOW TABLES LIKE ?", "no_such".into(), "[]").await;
    check("SELECT ? AS a; -- end", 1.5.into(), r#"[{"a":1.5}]"#).await;
}

#[tokio::test]
async fn each_call_is_one_round_trip() {
    let database = Database::with("CREATE TABLE t (id INT, js JSON); INSERT INTO t VALUES (1, '{}')").await;
    let executor = executor(config(&database).pool_max(1));
    let questions = async || -> u64 {
        let sql = "SHOW SESSION STATUS LIKE 'Questions'";
        let json = read(&executor, RowFormat::Python, sql, &params! {}).await.unwrap();
        json.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    // One call before, because MariaDB's catalogue is asked for the JSON column.
    read(&executor, RowFormat::Python, "SELECT * FROM t WHERE id = ?", &params! { "Id" => 1 }).await.unwrap();
    let before = questions().await;
    for id in 0..10 {
        let text = params! { "Id" => format!(r"{id}\") };
        read(&executor, RowFormat::Python, "SELECT * FROM t WHERE id = ?", &params! { "Id" => id }).await.unwrap();
        read(&executor, RowFormat::Python, "SELECT * FROM t WHERE id < ?", &text).await.unwrap();
    }
    assert_eq!(questions().await - before, 21, "20 queries, and the one that asks");
}

#[tokio::test]
async fn the_answers_of_both_modes_are_alike_for_values_of_the_columns_types() {
    let (database, _) = super::golden_types().await;
    let (text, prepared) = (executor(by_text(&database)), executor(config(&database).param_mode(ParamMode::Prepared)));
    for format in FORMATS {
        for id in 1..=4 {
            let sql = "SELECT * FROM golden_types WHERE id = ?";
            let [text, prepared] = [&text, &prepared]
                .map(async |executor| read(executor, format, sql, &params! { "Id" => id }).await.unwrap());
            assert_eq!(text.await, prepared.await, "{format:?} {id}");
        }
    }
}
