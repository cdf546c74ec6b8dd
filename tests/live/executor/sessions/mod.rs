//! Session state of callers reaches no read, and a read writes nothing.

mod random;

use mrc_core::{Params, RowEncoder, RowFormat, params};
use mrc_store::{ExecuteError, MySqlExecutor, QueryExecutor};
use mrc_tests::{Database, unique};
use mysql_async::prelude::Queryable;

use super::{canonical, config, execute, executor, read};

pub(super) async fn trusted(executor: &dyn QueryExecutor, sql: &str) -> Result<String, ExecuteError> {
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    executor.query_trusted(sql, &Params::new(), &mut rows).await?;
    Ok(String::from_utf8(rows.finish()?.to_vec()).unwrap())
}

/// Returns statements that change their session. A server refuses those that it doesn't know.
fn statements(other: &str) -> Vec<String> {
    let texts = "
        SET autocommit = 0; SET @@session.autocommit = 0, time_zone = '+05:00'; BEGIN;
        START TRANSACTION WITH CONSISTENT SNAPSHOT; XA START 'mrc';
        SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
        SET SESSION TRANSACTION READ ONLY; SET time_zone = '+05:00'; SET timestamp = 1;
        SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'; SET NAMES latin1;
        SET character_set_results = latin1; SET collation_connection = utf8mb4_bin;
        SET sql_select_limit = 1; SET lc_time_names = 'de_DE'; SET div_precision_increment = 9;
        SET group_concat_max_len = 4; SET @mine = 6; SELECT @mine := 7; SELECT LAST_INSERT_ID(9);
        SELECT GET_LOCK('mrc', 0); CREATE TEMPORARY TABLE t (a INT, at TIMESTAMP NULL);
        LOCK TABLES t READ; INSERT INTO log VALUES (1); CALL spoil(); SET ROLE NONE; DO SLEEP(0)";
    texts.split(';').map(|text| text.trim().to_owned()).chain([format!("USE {other}")]).collect()
}

const PROBES: [&str; 5] = [
    "SELECT DATABASE() AS a, @@autocommit AS b, @@sql_mode AS c, @@time_zone AS d, @@collation_connection AS e, \
     @@character_set_results AS f, @@sql_select_limit AS g, @@lc_time_names AS h, @@div_precision_increment AS i, \
     @@group_concat_max_len AS j, CURRENT_ROLE() AS k, @@timestamp > 100 AS l, LAST_INSERT_ID() AS m",
    "SELECT * FROM t ORDER BY a",
    "SELECT @mine AS a",
    "SELECT \"x\" AS a, 1 / 3 AS b, DAYNAME('2025-01-15') AS c",
    "SELECT IS_FREE_LOCK('no-lock-of-mrc') AS a",
];

async fn probe(executor: &MySqlExecutor) -> Vec<Result<String, String>> {
    let mut answers = Vec::new();
    for sql in PROBES {
        answers.push(canonical(executor, sql).await.map_err(|error| error.to_string()));
    }
    answers
}

async fn shop() -> Database {
    Database::with(
        "CREATE TABLE t (a INT, at TIMESTAMP NULL); INSERT INTO t VALUES (1, '2025-01-15 10:00:00'), (2, NULL);
         CREATE TABLE log (a INT);
         CREATE PROCEDURE spoil() BEGIN SET time_zone = '+07:00'; SET sql_mode = 'ANSI_QUOTES'; SELECT 1 AS a; END",
    )
    .await
}

#[tokio::test]
async fn a_read_runs_as_on_a_fresh_connection_after_any_statement() {
    let (database, other) = (shop().await, Database::create().await);
    let config = config(&database).pool_max(1);
    let expected = probe(&executor(config.clone())).await;
    let executor = executor(config);
    for sql in statements(other.name()) {
        let _ = execute(&executor, &sql).await;
        assert_eq!(probe(&executor).await, expected, "after `{sql}` by `execute`");
        let mut conn = executor.pool().get_conn().await.unwrap();
        let _ = conn.query_drop(&sql).await;
        for uncommitted in ["BEGIN", "UPDATE t SET a = a + 10"] {
            let _ = conn.query_drop(uncommitted).await;
        }
        assert_eq!(probe(&executor).await, expected, "beside `{sql}` and an update");
        drop(conn);
        assert_eq!(probe(&executor).await, expected, "after `{sql}` by hand");
    }
}

#[tokio::test]
async fn a_caller_gets_a_session_that_was_reset() {
    let (database, other) = (shop().await, Database::create().await);
    let executor = executor(config(&database).pool_max(1));
    let probe = "SELECT DATABASE() AS a, @@autocommit AS b, @@time_zone AS c, @@collation_connection AS d, @mine AS e";
    let expected = execute(&executor, probe).await.unwrap();
    for sql in statements(other.name()) {
        let _ = execute(&executor, &sql).await;
        assert_eq!(execute(&executor, probe).await.unwrap(), expected, "after `{sql}`");
    }
    // The row was rolled back when the connection was returned, not kept open.
    assert_eq!(execute(&executor, "SELECT COUNT(*) AS a FROM log").await.unwrap(), r#"[{"a":1}]"#);
}

#[tokio::test]
async fn a_trusted_call_does_not_spoil_the_session_of_the_next_read() {
    let database = shop().await;
    let config = config(&database).pool_max(1);
    let expected = probe(&executor(config.clone())).await;
    let executor = executor(config);
    assert_eq!(trusted(&executor, "CALL spoil()").await.unwrap(), r#"[{"a":1}]"#);
    assert_eq!(probe(&executor).await, expected);
    assert_eq!(trusted(&executor, "SELECT @@time_zone AS a").await.unwrap(), r#"[{"a":"SYSTEM"}]"#);
}

#[tokio::test]
async fn a_read_in_a_transaction_is_an_error_and_never_an_answer() {
    let database = shop().await;
    database.execute("CREATE PROCEDURE opens() BEGIN START TRANSACTION; SELECT a FROM t; END").await;
    let executor = executor(config(&database).pool_max(1));
    let error = trusted(&executor, "CALL opens()").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Session) && !error.is_retryable(), "{error:?}");
    let own = canonical(&executor, "SELECT COUNT(*) AS a FROM t").await.unwrap();
    assert_eq!(own, r#"[{"a":2}]"#);
}

#[tokio::test]
async fn the_session_is_set_as_configured() {
    let database = Database::create().await;
    let config = config(&database).time_zone("+02:00").sql_mode("ANSI_QUOTES").collation("utf8mb4_bin").pool_max(1);
    let executor = executor(config);
    let sql = "SELECT @@time_zone AS a, @@sql_mode AS b, @@collation_connection AS c";
    let expected = r#"[{"a":"+02:00","b":"ANSI_QUOTES","c":"utf8mb4_bin"}]"#;
    assert_eq!(canonical(&executor, sql).await.unwrap(), expected);
    for _ in 0..2 {
        // Runs once on a new session, and once on a reset one.
        assert_eq!(execute(&executor, sql).await.unwrap(), expected);
    }
}

const WRITERS: [(&str, &str); 3] = [("into_innodb", "t"), ("into_myisam", "m"), ("into_memory", "h")];

#[tokio::test]
async fn the_server_refuses_a_read_that_writes() {
    let database = Database::with(
        "CREATE TABLE t (a INT); CREATE TABLE m (a INT) ENGINE = MyISAM; CREATE TABLE h (a INT) ENGINE = MEMORY",
    )
    .await;
    for (function, table) in WRITERS {
        let body = format!("BEGIN INSERT INTO {table} VALUES (1); RETURN 1; END");
        database.execute(&format!("CREATE FUNCTION {function}() RETURNS INT MODIFIES SQL DATA {body}")).await;
    }
    let executor = executor(config(&database));
    let refused = async |sql: &str| {
        let error = canonical(&executor, sql).await.unwrap_err();
        assert!(error.to_string().contains("1792") && !error.is_retryable(), "{sql}: {error:?}");
    };
    for (function, table) in WRITERS {
        refused(&format!("SELECT {function}() AS a")).await;
        refused(&format!("INSERT INTO {table} VALUES (2)")).await;
        assert_eq!(canonical(&executor, &format!("SELECT * FROM {table}")).await.unwrap(), "[]");
    }
    refused("CREATE TEMPORARY TABLE tmp (a INT)").await;
    // With trust the call passes.
    assert_eq!(trusted(&executor, "SELECT into_innodb() AS a").await.unwrap(), r#"[{"a":1}]"#);
    // With `execute` the functions write, and with `read_only(false)` too.
    assert_eq!(execute(&executor, "SELECT into_innodb() AS a").await.unwrap(), r#"[{"a":1}]"#);
    let writing = super::executor(config(&database).read_only(false));
    assert_eq!(canonical(&writing, "SELECT into_innodb() AS a").await.unwrap(), r#"[{"a":1}]"#);
    assert_eq!(canonical(&executor, "SELECT * FROM t").await.unwrap(), r#"[{"a":1},{"a":1},{"a":1}]"#);
}

#[tokio::test]
async fn several_results_are_an_error_that_says_so() {
    let database = Database::with(
        "CREATE TABLE log (a INT);
         CREATE PROCEDURE one() BEGIN SELECT 1 AS a; INSERT INTO log VALUES (1); END;
         CREATE PROCEDURE two() BEGIN SELECT 1 AS a; SELECT 2 AS a; INSERT INTO log VALUES (2); END;
         CREATE PROCEDURE none() BEGIN INSERT INTO log VALUES (3); END;
         CREATE PROCEDURE fails() BEGIN SELECT 1 AS a; SELECT * FROM no_such_table; END",
    )
    .await;
    let executor = executor(config(&database).pool_max(1));
    assert_eq!(execute(&executor, "CALL one()").await.unwrap(), r#"[{"a":1}]"#);
    assert_eq!(execute(&executor, "CALL none()").await.unwrap(), "[]");
    let error = execute(&executor, "CALL two()").await.unwrap_err();
    assert!(matches!(error, ExecuteError::SeveralResults) && error.to_string().contains("mysql_pool"), "{error:?}");
    let error = execute(&executor, "CALL fails()").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(_)), "{error:?}");
    // Each ran to its end.
    assert_eq!(execute(&executor, "SELECT a FROM log ORDER BY a").await.unwrap(), r#"[{"a":1},{"a":2},{"a":3}]"#);
}

#[tokio::test]
async fn the_first_answer_after_an_alter_is_right() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1));
    let check = async |table: &str, before: &str, alter: &str, after: &str| {
        let sql = format!("SELECT * FROM {table}");
        database.execute(before).await;
        canonical(&executor, &sql).await.unwrap();
        database.execute(alter).await;
        for nth in ["first", "second"] {
            assert_eq!(canonical(&executor, &sql).await.unwrap(), after, "{nth} answer after {alter}");
        }
    };
    let table = "CREATE TABLE a (id INT); INSERT INTO a VALUES (1)";
    check("a", table, "ALTER TABLE a ADD js JSON; UPDATE a SET js = '[ 1 ]'", r#"[{"id":1,"js":[1]}]"#).await;
    // The catalogue was asked for this table before.
    check(
        "a",
        "SELECT 1",
        "ALTER TABLE a ADD more JSON; UPDATE a SET more = '[ 2 ]'",
        r#"[{"id":1,"js":[1],"more":[2]}]"#,
    )
    .await;
    database.execute("ALTER TABLE a ADD third JSON; UPDATE a SET third = '[ 3 ]'").await;
    // A new text, whose columns were never seen in another form.
    assert_eq!(canonical(&executor, "SELECT third FROM a").await.unwrap(), r#"[{"third":[3]}]"#);
    let table = "CREATE TABLE b (js VARCHAR(99)); INSERT INTO b VALUES ('[ 1 ]')";
    check("b", table, "ALTER TABLE b MODIFY js JSON", r#"[{"js":[1]}]"#).await;
    let table = "CREATE TABLE c (id INT, js LONGTEXT COLLATE utf8mb4_bin); INSERT INTO c VALUES (1, '[ 1 ]')";
    let other = "DROP TABLE c; CREATE TABLE c (js JSON, id BIGINT); INSERT INTO c VALUES ('[ 1 ]', 1)";
    check("c", table, other, r#"[{"js":[1],"id":1}]"#).await;
    let table = "CREATE TABLE d (id INT, js JSON); INSERT INTO d VALUES (1, '[]')";
    let other = "ALTER TABLE d DROP js; ALTER TABLE d ADD js LONGTEXT COLLATE utf8mb4_bin FIRST; UPDATE d SET js = '{'";
    check("d", table, other, r#"[{"js":"{","id":1}]"#).await;
}

#[test]
fn a_static_executor_goes_on_in_other_runtimes() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let database = first.block_on(Database::create());
    let executor = executor(config(&database).pool_max(1));
    let connection = async || canonical(&executor, "SELECT CONNECTION_ID() AS a").await.unwrap();
    let one = first.block_on(connection());
    // Both connections exist.
    assert_ne!(second.block_on(connection()), one);
    assert_eq!(first.block_on(connection()), one);
    first.block_on(async { executor.pool().get_conn().await.unwrap().ping().await.unwrap() });
    drop(first);
    let two = second.block_on(connection());
    drop(second);
    // The number of an ended runtime may be reused.
    for _ in 0..3 {
        let next = runtime();
        assert!(![&one, &two].contains(&&next.block_on(connection())));
        next.block_on(async { executor.pool().get_conn().await.unwrap().ping().await.unwrap() });
    }
    let last = runtime();
    last.block_on(executor.close());
    for runtime in [last, runtime()] {
        runtime.block_on(async {
            assert!(matches!(canonical(&executor, "SELECT 1").await.unwrap_err(), ExecuteError::Closed));
            assert!(executor.pool().get_conn().await.is_err());
        });
    }
}

#[tokio::test]
async fn no_log_of_the_server_shows_how_statements_are_kept_apart() {
    let database = Database::create().await;
    let (executor, name) = (executor(config(&database).pool_max(1)), unique("shown"));
    let sql =
        format!("SELECT ? AS {name}, INFO AS info FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()");
    let json = read(&executor, RowFormat::Canonical, &sql, &params! { "A" => "x" }).await.unwrap();
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let info = rows[0]["info"].as_str().unwrap();
    assert!(info.starts_with("SELECT") && info.ends_with("CONNECTION_ID()"), "{info:?}");
}
