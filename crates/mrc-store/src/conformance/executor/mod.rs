//! The suite of [`QueryExecutor`].
//!
//! It needs an empty database, and SQL of MySQL, MariaDB and SQLite. Only [`transactions`] writes.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mrc_store::ExecuteError> {
//! use mrc_store::{SqliteExecutor, conformance};
//!
//! let executor = SqliteExecutor::in_memory()?;
//! conformance::executor::executor_suite(&executor).await;
//! conformance::executor::transactions(&executor).await; // creates the table `mrc_conformance`, and drops it
//! conformance::executor::refuses_calls_after_close(&executor).await; // last: it closes the executor
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
#![expect(clippy::panic, reason = "a suite reports by panicking, as a test does")]

mod transactions;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join_all;
use mrc_core::{Date, Decimal, Params, RowEncoder, RowFormat, Time, Value, params};

use crate::error::ExecuteError;
use crate::executor::QueryExecutor;

pub use transactions::transactions;

const SELECT: &str = "SELECT ? AS a";

/// Three rows: 1, 2, 3.
const THREE: &str = "(SELECT 1 AS a UNION ALL SELECT 2 AS a UNION ALL SELECT 3 AS a) AS three";

/// Checks every rule except [`transactions`] and [`refuses_calls_after_close`].
pub async fn executor_suite(executor: &dyn QueryExecutor) {
    answers_a_ping(executor).await;
    values_come_back(executor).await;
    values_arrive(executor).await;
    lists(executor).await;
    params_that_do_not_fit(executor).await;
    rows_and_columns(executor).await;
    refusals(executor).await;
    histories(executor).await;
    big_result(executor).await;
    concurrency(executor).await;
    cancellation(executor).await;
}

/// Checks that concurrent pings are answered, and leave nothing behind that a query could get.
pub async fn answers_a_ping(executor: &dyn QueryExecutor) {
    for answered in join_all((0..32).map(|_| executor.ping())).await {
        assert!(answered.is_ok(), "a database that is there answers a ping: {answered:?}");
    }
    echo(executor, "after-a-ping").await;
}

/// Checks that a bound value comes back unchanged.
pub async fn values_come_back(executor: &dyn QueryExecutor) {
    let same = [
        (Value::Null, "null".to_owned()),
        (true.into(), "1".into()),
        (false.into(), "0".into()),
        ((-6).into(), "-6".into()),
        (i64::MIN.into(), i64::MIN.to_string()),
        (i64::MAX.into(), i64::MAX.to_string()),
        (7_u8.into(), "7".into()),
        (1.5.into(), "1.5".into()),
        ("".into(), r#""""#.into()),
        ("héllo 🚀 'q' \"q\" \\ ? %".into(), r#""héllo 🚀 'q' \"q\" \\ ? %""#.into()),
        ("00123".into(), r#""00123""#.into()),
    ];
    for (value, json) in same {
        let shown = format!("{value:?} comes back as it was bound");
        answers(executor, SELECT, &params! { "A" => value }, &format!(r#"[{{"a":{json}}}]"#), &shown).await;
    }
}

/// Checks values without an SQL literal, or with several types, by comparing them in the database.
pub async fn values_arrive(executor: &dyn QueryExecutor) {
    let decimal = Decimal::new("10.50").unwrap_or_else(|error| panic!("{error}"));
    let day = Date { year: 2025, month: 1, day: 15 };
    let time = Time { negative: true, hours: 101, minutes: 2, seconds: 3, micros: 0 };
    let at = mrc_core::DateTime { date: day, hour: 10, minute: 30, second: 5, micros: 0 };
    let json = Value::Json(true.into());
    for (is_it, value) in [
        ("CAST(? AS DECIMAL(10,2)) = 10.5", Value::from(decimal)),
        ("HEX(?) = '80FF00'", vec![0x80_u8, 0xFF, 0].into()),
        ("? = '2025-01-15'", day.into()),
        ("? = '2025-01-15 10:30:05'", at.into()),
        ("? LIKE '-101:02:03%'", time.into()),
        ("? = 'true'", json),
    ] {
        let sql = format!("SELECT CASE WHEN {is_it} THEN 1 ELSE 0 END AS a");
        let rule = format!("for {value:?}, {is_it}");
        answers(executor, &sql, &params! { "A" => value }, r#"[{"a":1}]"#, &rule).await;
    }
}

/// Checks that a list takes one placeholder, and that its elements are treated like other values.
pub async fn lists(executor: &dyn QueryExecutor) {
    let sql = format!("SELECT a FROM {THREE} WHERE a IN (?) ORDER BY a");
    let check = async |list: Value, json: &str| {
        let rule = format!("IN (?) with {list:?} finds its elements");
        answers(executor, &sql, &params! { "A" => list }, json, &rule).await;
    };
    check([3, 1, 9].into(), r#"[{"a":1},{"a":3}]"#).await;
    check([2].into(), r#"[{"a":2}]"#).await;
    check(Value::List(vec![2.into(), Value::Null]), r#"[{"a":2}]"#).await;
    check(vec![3; 1000].into(), r#"[{"a":3}]"#).await;

    let sql = format!("SELECT a, ? AS b FROM {THREE} WHERE a IN (?) AND ? IN (?) AND a NOT IN (?) ORDER BY a");
    let several =
        params! { "B" => "?", "In" => [1, 2, 3], "Text" => "it's", "Texts" => ["x", "it's", "?"], "Not" => [2, 7] };
    let rule = "several lists and values go to their own placeholders";
    answers(executor, &sql, &several, r#"[{"a":1,"b":"?"},{"a":3,"b":"?"}]"#, rule).await;
}

/// Checks that params that can't be bound are refused, by type, before anything runs.
pub async fn params_that_do_not_fit(executor: &dyn QueryExecutor) {
    for (sql, params, placeholders) in [
        (SELECT, params! {}, 1),
        (SELECT, params! { "A" => 1, "B" => 2 }, 1),
        ("SELECT 1 AS a", params! { "A" => 1 }, 0),
        ("SELECT '?' AS a", params! { "A" => 1 }, 0),
        ("SELECT ? AS a -- ?", params! { "A" => 1, "B" => 2 }, 1),
    ] {
        match query(executor, sql, &params).await {
            Err(ExecuteError::ParamCount { placeholders: told, params: given })
                if (told, given) == (placeholders, params.len()) => {}
            other => panic!("{} params for `{sql}` are a ParamCount error, not {other:?}", params.len()),
        }
    }
    let nothing = Value::List(vec![]);
    for (second, why) in [
        (nothing.clone(), "an empty list"),
        (Value::List(vec![nothing]), "a list in a list"),
        (f64::NAN.into(), "NaN"),
        (f64::INFINITY.into(), "an infinity"),
        (vec![0; 70_000].into(), "a list of 70,000"),
    ] {
        match query(executor, "SELECT ? AS a, 1 IN (?) AS b", &params! { "A" => 1, "B" => second }).await {
            Err(ExecuteError::Param { position: 2, .. }) => {}
            other => panic!("{why} is refused as param 2, not {:?}", other.map(|json| json.len())),
        }
    }
}

/// Checks that rows come in order, and that columns are announced with and without rows.
pub async fn rows_and_columns(executor: &dyn QueryExecutor) {
    let none = Params::new();
    let sql = format!("SELECT a, a * 2 AS b, NULL AS c FROM {THREE} ORDER BY a DESC");
    let json = r#"[{"a":3,"b":6,"c":null},{"a":2,"b":4,"c":null},{"a":1,"b":2,"c":null}]"#;
    answers(executor, &sql, &none, json, "rows come in the order of the query").await;

    let sql = format!("SELECT a FROM {THREE} WHERE a > ?");
    answers(executor, &sql, &params! { "A" => 3 }, "[]", "no rows are an empty array").await;
    let sql = format!("SELECT a, a + 1 AS a FROM {THREE} WHERE a > ?");
    for (above, rows) in [(3, "no row"), (0, "rows")] {
        let done = query(executor, &sql, &params! { "A" => above }).await;
        let rule = "columns are announced, so two of one name are an error";
        assert!(matches!(done, Err(ExecuteError::Row(_))), "{rule}, with {rows}, not {done:?}");
    }
}

/// Checks that refusals are `Refused`, aren't retryable, and leave the executor usable.
pub async fn refusals(executor: &dyn QueryExecutor) {
    let unknown = ["SELECT 1 AS a FROM no_such_table_of_mrc", "SELECT no_such_column_of_mrc AS a"];
    for sql in unknown.into_iter().chain(["SELEKT 1", "", "SELECT 1 AS a; SELECT 2 AS a"]) {
        let done = query(executor, sql, &Params::new()).await;
        let is_refused = matches!(&done, Err(error @ ExecuteError::Refused(_)) if !error.is_retryable());
        assert!(is_refused, "`{sql}` is refused, not {done:?}");
        echo(executor, "after-a-refusal").await;
    }
}

/// Checks that a call answers like on a fresh connection, whatever types the statement had before.
pub async fn histories(executor: &dyn QueryExecutor) {
    let sql = "SELECT CASE WHEN ? = 'a' THEN 1 ELSE 0 END AS a, ? AS b";
    for _ in 0..2 {
        for (value, json) in [
            (Value::from("a"), r#"[{"a":1,"b":"a"}]"#),
            ("b".into(), r#"[{"a":0,"b":"b"}]"#),
            (Value::Null, r#"[{"a":0,"b":null}]"#),
            ("a".into(), r#"[{"a":1,"b":"a"}]"#),
        ] {
            for before in [5.into(), 1.5.into(), Value::Null] {
                let done = query(executor, sql, &params! { "A" => "x", "B" => before }).await;
                assert!(done.is_ok(), "a statement takes values of any type: {done:?}");
            }
            let twice = params! { "A" => value.clone(), "B" => value };
            answers(executor, sql, &twice, json, "a value isn't converted to the type of an earlier call").await;
        }
    }
}

/// Checks that a large answer is complete and in order.
pub async fn big_result(executor: &dyn QueryExecutor) {
    let json = query(executor, NUMBERS, &params! { "Tag" => "big" }).await;
    let mut expected = String::from("[");
    for n in 1..=100_000 {
        let comma = if n == 1 { "" } else { "," };
        expected.push_str(&format!(r#"{comma}{{"n":{n},"tag":"big"}}"#));
    }
    expected.push(']');
    match json {
        Ok(json) if json == expected => {}
        Ok(json) => panic!("100,000 rows come whole: {} bytes, not {}", json.len(), expected.len()),
        Err(error) => panic!("100,000 rows come whole: {error:?}"),
    }
}

/// 100,000 rows, and a param in each.
const NUMBERS: &str = "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999) \
     SELECT 1000 * x.i + y.i + 1 AS n, ? AS tag FROM c AS x, c AS y WHERE x.i < 100 ORDER BY 1";

/// Checks that concurrent queries get their own answers.
pub async fn concurrency(executor: &dyn QueryExecutor) {
    for round in 0..8 {
        let tags: Vec<String> = (0..32).map(|n| format!("{round}-{n}")).collect();
        join_all(tags.iter().map(|tag| echo(executor, tag))).await;
    }
}

/// Checks that a query cancelled at any await leaves nothing behind that another query could get.
pub async fn cancellation(executor: &dyn QueryExecutor) {
    let mut seed = 1_u32;
    for round in 0..20 {
        let cut = (0..12).map(|n| {
            // Any fixed sequence: the cuts must differ, and be the same in each run.
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let polls = 1 + seed % 12;
            async move {
                let sql = if n % 3 == 0 { NUMBERS } else { SELECT };
                cancelled_after(polls, query(executor, sql, &params! { "Tag" => "cancelled" })).await;
                echo(executor, &format!("{round}-{n}")).await;
            }
        });
        join_all(cut.collect::<Vec<_>>()).await;
    }
}

/// Checks that after `close` queries and pings return an error that says so. Closes the executor.
pub async fn refuses_calls_after_close(executor: &dyn QueryExecutor) {
    executor.close().await;
    let done = query(executor, SELECT, &params! { "A" => 1 }).await;
    assert!(matches!(done, Err(ExecuteError::Closed)), "a query after `close` is a Closed error, not {done:?}");
    let done = executor.ping().await;
    assert!(matches!(done, Err(ExecuteError::Closed)), "a ping after `close` is a Closed error, not {done:?}");
    executor.close().await;
}

async fn query(executor: &dyn QueryExecutor, sql: &str, params: &Params) -> Result<String, ExecuteError> {
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    executor.query(sql, params, &mut rows).await?;
    let json = rows.finish()?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

async fn answers(executor: &dyn QueryExecutor, sql: &str, params: &Params, expected: &str, rule: &str) {
    match query(executor, sql, params).await {
        Ok(json) if json == expected => {}
        Ok(json) => panic!("{rule}: `{sql}` answered {json}, not {expected}"),
        Err(error) => panic!("{rule}: `{sql}` failed: {error:?}"),
    }
}

async fn echo(executor: &dyn QueryExecutor, tag: &str) {
    let expected = format!(r#"[{{"a":"{tag}"}}]"#);
    let rule = "a query gets its own answer";
    answers(executor, SELECT, &params! { "A" => tag.to_owned() }, &expected, rule).await;
}

/// Polls `work` at most `polls` times, then drops it.
async fn cancelled_after<T>(mut polls: u32, work: impl Future<Output = T>) {
    let mut work = pin!(work);
    poll_fn(|context| {
        polls = polls.saturating_sub(1);
        match work.as_mut().poll(context) {
            Poll::Pending if polls > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}
