//! Each call answers as on a fresh connection of its own, whatever ran on its connection before.

use mrc_core::{Date, Decimal, Params, RowFormat, Time, Value, params};
use mrc_store::{MySqlConfig, ParamMode, QueryExecutor};
use mrc_tests::{Database, cases};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::{config, executor, read};

const HISTORIES: u32 = 60;

const COLUMNS: [&str; 12] = ["i", "n", "u", "s", "c", "d", "f", "da", "ts", "ti", "js", "vb"];

const TABLE: &str = r#"
    CREATE TABLE t (k INT PRIMARY KEY AUTO_INCREMENT, i INT, n BIGINT, u BIGINT UNSIGNED, s VARCHAR(20),
      c VARCHAR(10) COLLATE utf8mb4_bin, d DECIMAL(20,4), f DOUBLE, da DATE, ts DATETIME(3), ti TIME, js JSON, vb VARBINARY(10));
    INSERT INTO t (i, n, u, s, c, d, f, da, ts, ti, js, vb) VALUES
      (1, 9007199254740993, 18446744073709551615, 'é', '0123', 1.5, 1.5, '2025-01-15', '2025-01-15 10:00:00.5', '10:00:00', '{"a": 1}', 'ab'),
      (5, 5, 5, '5', '123', 5, 5, '2024-02-29', '2024-02-29', '00:00:05', '5', '5'),
      (0, 0, 0, 'ß', 'abc', 0, 0, '2000-01-01', '2000-01-01', '00:00:00', '"x"', '0'),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (123, 9007199254740992, 123, 'abc', 'zz', 123.25, 9007199254740992, '2025-01-15', '2025-01-15', '12:03:00', 'true', '123')"#;

fn texts() -> Vec<String> {
    let each = |text: &str| COLUMNS.map(|column| text.replace('#', column));
    let other = "
        SELECT ? AS v; SELECT -? AS v; SELECT ? + 1 AS v; SELECT ABS(?) AS v; SELECT HEX(?) AS v;
        SELECT ? = ? AS v; SELECT NULLIF(?, ?) AS v; SELECT GREATEST(?, ?) AS v;
        SELECT IF(?, 1, 2) AS v; SELECT CONCAT(?, 'x') AS v; SELECT LEFT('abcdef', ?) AS v;
        SELECT k FROM t ORDER BY k LIMIT ?; SELECT k, ? AS v FROM t ORDER BY v, k;
        SELECT k FROM t WHERE s LIKE ? ORDER BY k; SELECT k FROM t WHERE da BETWEEN ? AND ? ORDER BY k;
        SELECT k FROM t WHERE (i, s) = (?, ?); SELECT ROUND(d, ?) AS v FROM t ORDER BY k;
        SELECT DATE_ADD(da, INTERVAL ? DAY) AS v FROM t ORDER BY k;
        SELECT CASE WHEN i = ? THEN da ELSE ? END AS v FROM t ORDER BY k;
        SELECT FIELD(s, ?, ?) AS v FROM t ORDER BY k; SELECT ? AS v UNION SELECT s FROM t";
    let several = [
        "SELECT k FROM t WHERE # = ? ORDER BY k",
        "SELECT k FROM t WHERE # IN (?, ?) ORDER BY k",
        "SELECT COALESCE(#, ?) AS v FROM t ORDER BY k",
    ];
    several.into_iter().flat_map(each).chain(other.split(';').map(|text| text.trim().to_owned())).collect()
}

fn values() -> Vec<Value> {
    let day = Date { year: 2025, month: 1, day: 15 };
    let texts =
        ["é", "ß", "5", "0123", "abc", "zz", "", "1.5", "2025-01-15", "2025-01-15 10:00:00.5", "10:00:00", "{}"];
    let whole = [5, 0, 1, -1, 123, 9_007_199_254_740_993, i64::MAX, i64::MIN];
    let broken = [1.5, 0.1, 9_007_199_254_740_992.0, -0.0, 1e300];
    let others = [
        Value::Null,
        true.into(),
        7_u8.into(),
        u64::MAX.into(),
        Decimal::new("1.50").unwrap().into(),
        day.into(),
        mrc_core::DateTime { date: day, hour: 10, minute: 0, second: 0, micros: 500_000 }.into(),
        Time { negative: false, hours: 10, minutes: 0, seconds: 0, micros: 0 }.into(),
        vec![0x61_u8, 0xFF].into(),
    ];
    let texts = texts.map(Value::from).into_iter();
    texts.chain(whole.map(Value::from)).chain(broken.map(Value::from)).chain(others).collect()
}

/// Returns the answer. Returns `None` for a refusal, as servers word refusals differently.
async fn answer(executor: &dyn QueryExecutor, sql: &str, params: &Params) -> Option<String> {
    read(executor, RowFormat::Canonical, sql, params).await.ok()
}

/// Runs the calls of a history on one connection, and compares each with a fresh one.
async fn check(config: &MySqlConfig, sql: &str, history: &[Params]) {
    let one = executor(config.clone());
    for (at, params) in history.iter().enumerate() {
        let fresh = executor(config.clone());
        let expected = answer(&fresh, sql, params).await;
        fresh.close().await;
        let so_far = &history[..=at];
        assert_eq!(answer(&one, sql, params).await, expected, "`{sql}` with {so_far:#?}");
    }
    one.close().await;
}

fn named(values: impl IntoIterator<Item = Value>) -> Params {
    values.into_iter().enumerate().fold(Params::new(), |params, (at, value)| params.with(format!("P{at}"), value))
}

#[tokio::test]
async fn random_histories_answer_as_fresh_connections_do() {
    let database = Database::with(TABLE).await;
    let config = config(&database).pool_max(1).statement_cache(2);
    let (texts, values, mut rng) = (texts(), values(), rand::rng());
    for _ in 0..cases(HISTORIES) {
        let sql = texts.choose(&mut rng).unwrap();
        let places = sql.matches('?').count();
        let mut call = || named((0..places).map(|_| values.choose(&mut rng).unwrap().clone()).collect::<Vec<_>>());
        let history: Vec<Params> = (0..6).map(|_| call()).collect();
        let mode = *[ParamMode::Prepared, ParamMode::Text].choose(&mut rng).unwrap();
        check(&config.clone().param_mode(mode), sql, &history[..rng.random_range(2..=6)]).await;
    }
}

#[tokio::test]
async fn histories_that_went_wrong() {
    let database = Database::with(TABLE).await;
    let config = config(&database).pool_max(1);
    let one = |values: Vec<Value>| values.into_iter().map(|value| named([value])).collect::<Vec<_>>();
    let day = Value::from(Date { year: 2000, month: 1, day: 1 });
    for (sql, history) in [
        ("SELECT k FROM t WHERE s = ?", one(vec!["é".into(), 5.into(), "ß".into()])),
        ("SELECT k FROM t WHERE c = ?", one(vec![123.into(), "0123".into()])),
        ("SELECT k FROM t WHERE n = ?", one(vec![1.5.into(), 9_007_199_254_740_993_i64.into()])),
        ("SELECT k FROM t WHERE s = ?", one(vec![day.clone(), "abc".into()])),
        ("SELECT ? AS v", one(vec![5.into(), "abc".into()])),
        ("SELECT COALESCE(i, ?) AS v FROM t ORDER BY k", one(vec!["1.5".into(), "zz".into()])),
    ] {
        check(&config, sql, &history).await;
    }
    let list = |texts: [&'static str; 2]| Value::List(texts.map(Value::from).into());
    let lists = [named([[123, 5].into()]), named([list(["0123", "zz"])])];
    check(&config, "SELECT k FROM t WHERE c IN (?) ORDER BY k", &lists).await;
    // The calls have one signature, and yet the first changed the statement.
    let texts = [["2025-01-15", "zz"], ["0123", ""]].map(|texts| named(texts.map(Value::from)));
    check(&config, "SELECT k FROM t WHERE da IN (?, ?) ORDER BY k", &texts).await;
    let mixed = [named([(-0.0).into(), 5.into()]), named([5.into(), day]), named([1.5.into(), 123.into()])];
    check(&config, "SELECT CASE WHEN i = ? THEN da ELSE ? END AS v FROM t ORDER BY k", &mixed).await;
}

#[tokio::test]
async fn a_value_of_the_type_of_its_column_costs_one_round_trip() {
    let database = Database::with(TABLE).await;
    let executor = executor(config(&database).pool_max(1));
    let prepared = async || -> u64 {
        let sql = "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'";
        let json = read(&executor, RowFormat::Canonical, sql, &params! {}).await.unwrap();
        json.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    prepared().await;
    let calls = [
        ("SELECT k FROM t WHERE n = ?", Value::from(5)),
        ("SELECT k FROM t WHERE u = ?", 5_u32.into()),
        ("SELECT k FROM t WHERE s = ?", "5".into()),
        ("SELECT k FROM t WHERE f = ?", 1.5.into()),
    ];
    for (sql, value) in calls {
        let before = prepared().await;
        for _ in 0..10 {
            read(&executor, RowFormat::Canonical, sql, &named([value.clone()])).await.unwrap();
        }
        // MySQL itself prepares once more where it derived an unsigned number.
        let more = prepared().await - before;
        assert!((1..=2).contains(&more), "{sql}: {more}");
    }
}
