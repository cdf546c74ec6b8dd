//! A statement answers as on a fresh connection, whatever its earlier params were.

use mrc_core::{RowFormat, params};
use mrc_sqlx::SqlxExecutor;
use mrc_store::{ExecuteError, QueryExecutor};
use mrc_tests::Database;
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::{pool, read, values};

/// MySQL keeps the first type of a prepared statement's param. No call may see another call's type.
#[tokio::test]
async fn any_history_answers_as_a_fresh_connection() {
    let database = Database::with("CREATE TABLE pt (id INT PRIMARY KEY, s VARCHAR(20), n BIGINT, d DECIMAL(10,2), at DATETIME);
             INSERT INTO pt VALUES (1, 'é', 5, 1.5, '2025-01-15'), (2, 'ß', 9007199254740993, 10.5, '2025-01-15 10:30:00.12'),
               (3, '0123', 123, 2, NULL), (4, '5', 0, 0, '1999-01-01')").await;
    const STATEMENTS: [&str; 6] = [
        "SELECT id FROM pt WHERE s = ? ORDER BY id",
        "SELECT id FROM pt WHERE n = ? ORDER BY id",
        "SELECT ? AS v",
        "SELECT id FROM pt WHERE d IN (?, 3) ORDER BY id",
        "SELECT id FROM pt WHERE at > ? ORDER BY id",
        "SELECT n + ? AS v FROM pt ORDER BY id",
    ];
    let mut values = values();
    values.extend([
        "é".into(),
        "ß".into(),
        5.into(),
        123.into(),
        9007199254740993_i64.into(),
        123.0.into(),
        "1.5".into(),
    ]);
    let histories = (prop::sample::select(&STATEMENTS[..]), prop::collection::vec(prop::sample::select(values), 2..=3));
    let mut runner = TestRunner::new(Config::default());
    let told = |answer: Result<String, ExecuteError>| answer.unwrap_or_else(|error| error.to_string());
    for _ in 0..40 {
        let (sql, history) = histories.new_tree(&mut runner).unwrap().current();
        let used = SqlxExecutor::new(pool(&database, 1));
        for value in &history {
            let params = params! { "A" => value.clone() };
            let fresh = SqlxExecutor::new(pool(&database, 1));
            assert_eq!(
                told(read(&used, RowFormat::Canonical, sql, &params).await),
                told(read(&fresh, RowFormat::Canonical, sql, &params).await),
                "{sql} with {value:?}, in {history:?}"
            );
            fresh.close().await;
        }
        used.close().await;
    }
}
