//! Statements that write, lock, wait, or depend on more than the data, and texts that servers may
//! read differently than the tokenizer does.

use super::super::{check, check_ignoring_space};
use super::Refused;

#[test]
fn a_statement_that_writes_is_refused() {
    Refused("Writes").all(&[
        "INSERT INTO t VALUES (1)",
        "update t set a = 1",
        "DELETE FROM t",
        "REPLACE INTO t VALUES (1)",
        "WITH a AS (SELECT 1) UPDATE t, a SET t.b = 1",
        "WITH a AS (SELECT 1) DELETE t FROM t JOIN a",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH a AS (SELECT 1) REPLACE t SELECT * FROM a",
        "SELECT a INTO OUTFILE '/tmp/x' FROM t",
        "SELECT a FROM t INTO DUMPFILE '/tmp/x'",
        "SELECT a FROM t INTO @x",
        "SELECT a INTO b FROM t",
        "TABLE t INTO OUTFILE '/tmp/x'",
        "SELECT NEXT VALUE FOR s",
        "SELECT previous value for s",
        "SELECT NEXTVAL(s), 1",
        "SELECT SETVAL(s, 1)",
        "SELECT s.nextval",
        "SELECT db . s . `NextVal` FROM DUAL",
    ]);
}

#[test]
fn a_statement_that_locks_is_refused() {
    Refused("Locks").all(&[
        "SELECT a FROM t FOR UPDATE",
        "SELECT a FROM t for\n/* x */ share OF t SKIP LOCKED",
        "SELECT a FROM (SELECT a FROM t FOR UPDATE) d",
        "SELECT a FROM t LOCK IN SHARE MODE",
        "(SELECT a FROM t FOR UPDATE) UNION SELECT 1",
        "SELECT 1 AS `a`FOR UPDATE",
        "SELECT GET_LOCK('x', 1)",
        "SELECT `release_lock`('x')",
        "SELECT IS_FREE_LOCK ('x')",
    ]);
}

#[test]
fn a_statement_that_depends_on_the_session_is_refused() {
    Refused("DependsOnSession").all(&[
        "SELECT @x",
        "SELECT @x := 1",
        "SELECT a FROM t WHERE a<@x",
        "SELECT a FROM t WHERE a^@x",
        "SELECT 1@x",
        "SELECT @`x y`, @'z'",
        "SELECT @@sql_mode",
        "SELECT @@session.time_zone",
        "SELECT LAST_INSERT_ID()",
        "SELECT last_insert_id /* x */ ( )",
        "SELECT `last_insert_id`()",
        "SELECT \"last_insert_id\"()",
        "SELECT a FROM t WHERE owner = USER()",
        "SELECT CURRENT_USER",
        "SELECT CURRENT_USER()",
        "SELECT CURRENT_ROLE",
        "SELECT DATABASE(), SCHEMA()",
        "SELECT SQL_CALC_FOUND_ROWS a FROM t",
        "SELECT FOUND_ROWS()",
        "SELECT ROW_COUNT()",
        "SELECT CONNECTION_ID() AS a",
        "SELECT LOAD_FILE('/etc/x')",
        "SELECT s.currval",
        "SELECT SCHEMAS()",
        "SELECT PS_THREAD_ID(1)",
        "SELECT /*+ SET_VAR(sql_mode = 'ANSI_QUOTES') */ 1",
        "WITH a AS (SELECT USER() AS b) SELECT b FROM a",
        "WITH a AS (SELECT 1), b AS (SELECT USER()) SELECT b FROM a",
    ]);
}

#[test]
fn a_new_value_at_each_call_or_a_wait_is_refused() {
    Refused("NonDeterministic").all(&[
        "SELECT UUID()",
        "SELECT a FROM t ORDER BY RAND()",
        "SELECT RAND(3)",
        "SELECT RANDOM_BYTES(8)",
        "SELECT ENCRYPT('x')",
    ]);
    Refused("Waits").all(&["SELECT SLEEP(1)", "SELECT BENCHMARK(1, 1)", "SELECT a.b, sleep (1) FROM a"]);
}

#[test]
fn statements_other_than_one_select_are_refused() {
    Refused("Empty").all(&["", " \n\t", "-- x", "/* x */", ";", "("]);
    Refused("SeveralStatements").all(&["SELECT 1; SELECT 2", "SELECT/**/1;/**/DELETE FROM t", "SELECT 1;;"]);
    Refused("NotASelect").all(&[
        "SHOW TABLES",
        "DESCRIBE t",
        "EXPLAIN SELECT 1",
        "SET @x = 1",
        "CALL p()",
        "DO SLEEP(1)",
        "HANDLER t OPEN",
        "LOCK TABLES t WRITE",
        "ANALYZE TABLE t",
        "CREATE TABLE t AS SELECT 1",
        "BEGIN",
        "EXECUTE IMMEDIATE 'DELETE FROM t'",
        "'SELECT'",
        "`SELECT` 1",
        "?",
    ]);
}

#[test]
fn a_function_that_no_server_has_built_in_is_refused() {
    Refused("StoredFunction").all(&[
        "SELECT f()",
        "SELECT f (1)",
        "SELECT a FROM t WHERE b = my_function(a)",
        "SELECT `f`(1), \"f\"(1)",
        "SELECT db.f()",
        "SELECT db . `f` (1)",
        "SELECT db.now()",
        "SELECT fonction_née(1)",
        "SELECT 1f()",
        "SELECT 1Lf()",
        "SELECT 0b1f()",
        "SELECT {fn f()}",
        "SELECT (f(1))",
        "SELECT 1 FROM (SELECT f(1)) AS d (a)",
        "WITH a (b) AS (SELECT f(1)) SELECT b FROM a",
        "SELECT * FROM f(1)",
        "SELECT a FROM t GROUP BY f(a) ORDER BY 1",
        "SELECT a FROM t PROCEDURE ANALYSE()",
        // Loaded by plugins and components of MySQL.
        "SELECT group_replication_set_as_primary('x')",
        "SELECT innodb_redo_log_archive_start('x', 'y'), innodb_redo_log_sharp_checkpoint()",
        "SELECT keyring_key_store('a', 'b', 'c')",
        "SELECT service_get_read_locks('a', 'b', 1)",
        // Built in without quotes only: a quoted name is a stored function's.
        "SELECT `now`()",
        "SELECT `count`(1)",
        "SELECT \"abs\"(1)",
        // Words of the grammar that are names elsewhere.
        "SELECT OF(1)",
        "SELECT columns(1)",
        "SELECT LATERAL((SELECT 1))",
        "SELECT a AND f(1), NOT f(1), a IN (f(1))",
    ]);
}

#[test]
fn a_blank_before_a_parenthesis_makes_a_stored_function_unless_the_session_ignores_it() {
    let blanks = ["SELECT now ()", "SELECT COUNT (*)", "SELECT MAX/**/(a) FROM t", "SELECT sum\n(a) FROM t"];
    Refused("NotParsed").all(&blanks);
    for sql in blanks {
        assert_eq!(check_ignoring_space(sql), Ok(()), "{sql}");
    }
    for sql in
        ["SELECT f (1)", "SELECT get_lock ('a', 1)", "SELECT `count` (*) FROM t", "SELECT COUNT (*) FROM t FOR UPDATE"]
    {
        assert!(check_ignoring_space(sql).is_err(), "{sql}");
    }
}

#[test]
fn a_table_about_the_session_or_the_server_is_refused() {
    Refused("DependsOnSession").all(&[
        "SELECT * FROM performance_schema.session_status",
        "SELECT * FROM Performance_Schema . `threads`",
        "SELECT * FROM a, performance_schema.session_variables",
        "SELECT * FROM a JOIN (b, information_schema.processlist)",
        "SELECT * FROM a USE INDEX (i), information_schema.innodb_trx",
        "SELECT 1 UNION SELECT id FROM INFORMATION_SCHEMA.PROCESSLIST",
        "SELECT a FROM t WHERE a IN (SELECT id FROM sys.processlist)",
        "SELECT * FROM {OJ sys.session LEFT JOIN a ON TRUE}",
        "SELECT EXTRACT(DAY FROM a) FROM sys.x$session",
        "WITH a AS (TABLE information_schema.user_privileges) SELECT * FROM a",
        "TABLE performance_schema.data_locks",
        "SELECT * FROM information_schema.SESSION_STATUS",
        "SELECT * FROM \"sys\".\"metrics\"",
        "SELECT * FROM processlist",
        "SELECT * FROM session_variables JOIN session_status",
    ]);
    for sql in [
        "SELECT * FROM information_schema.columns WHERE table_name = 't'",
        "SELECT table_name FROM information_schema.TABLES t JOIN `information_schema`.`statistics` s USING (table_name)",
        "SELECT sys.id, sys.name, EXTRACT(DAY FROM sys.created) FROM systems sys JOIN b ON f.c = COALESCE(b.d, sys.e)",
        "SELECT session_status, processlist FROM shop.session_status",
        "SELECT a FROM t ORDER BY a, sys.b",
        "SELECT performance_schema.a FROM performance_schema",
    ] {
        assert_eq!(check(sql), Ok(()), "{sql}");
    }
}

#[test]
fn a_text_that_servers_may_read_differently_is_refused() {
    Refused("NotParsed").all(&[
        // Executable comments.
        "SELECT 1 /*! FOR UPDATE */",
        "SELECT 1 /*!99999 FOR UPDATE */",
        "SELECT 1 /*M!100000 FOR UPDATE */",
        "/*! DELETE FROM t */",
        "SELECT 1/*!*/",
        // A hint goes on past a quoted `*/`.
        "SELECT /*+ QB_NAME(`*/`) */ 1 FROM t FOR UPDATE # `",
        "SELECT /*+ QB_NAME(\"'\" '*/') */ 1 FROM t FOR UPDATE # '",
        // The tokenizer takes `||/` for one operator, and the comment's text for SQL.
        "SELECT 1||/*'*/2 FOR UPDATE -- '",
        "SELECT 1|/*'*/2 FOR UPDATE -- '",
        // The tokenizer reads `b\"…\"` as a literal without escapes.
        r#"SELECT 1 AS b"\", a FROM t FOR UPDATE -- ""#,
        r"SELECT t.b'\' FOR UPDATE -- '",
        // A number that swallows a word.
        "SELECT id FROM t WHERE a=1.FOR UPDATE",
        "SELECT id FROM t WHERE a=1.LOCK IN SHARE MODE",
        "SELECT id FROM t WHERE a=.5LOCK IN SHARE MODE",
        "SELECT id FROM t WHERE a=1e3LOCK IN SHARE MODE",
        "SELECT id FROM t WHERE a=1E+3LOCK IN SHARE MODE",
        "SELECT id FROM t WHERE a=1.5e3FOR UPDATE",
        "SELECT id FROM t WHERE a=1.e5FOR UPDATE",
        "SELECT id FROM t WHERE a=0x1FOR UPDATE",
        "SELECT id FROM t WHERE a=x'1F'FOR UPDATE",
        "SELECT 1n'x', 1x'41', 1b'01'",
        // A number that hides a name.
        "SELECT db.1()",
        "SELECT `db`.1()",
        "SELECT 1L5()",
        "SELECT 1L0x41()",
        "SELECT ?1()",
        "SELECT t.1e3LOCK IN SHARE MODE",
        // A dot after no name.
        "SELECT 1e3.LOCK IN SHARE MODE",
        "SELECT (1).LOCK IN SHARE MODE",
        "SELECT 'a'.LOCK IN SHARE MODE",
        // Texts to MySQL 9.
        "SELECT $$ ' $$ FROM t FOR UPDATE -- '",
        "SELECT $a$ ' $a$ FROM t FOR UPDATE -- '",
        "SELECT SLEEP 1.e(9)",
        // Comments, and what only looks like one.
        "SELECT 1 --\u{a0}, LAST_INSERT_ID()",
        "SELECT 1 --\u{1}'\n FOR UPDATE -- '",
        "SELECT 1 # \0 FOR UPDATE",
        // Texts that never end.
        "SELECT 1 /* unterminated",
        "SELECT 'unterminated",
        "SELECT `unterminated",
        "SELECT '\\'",
        // Not MySQL.
        "SELECT a::int FROM t",
        "SELECT [a] FROM t",
        "SELECT :name",
    ]);
    // No comment: the server subtracts, and locks.
    Refused("Locks").all(&["SELECT 1 --1 FROM t FOR UPDATE"]);
    Refused("Locks").all(&["SELECT 1 # x\n FROM t FOR UPDATE"]);
    Refused("Locks").all(&["SELECT 1 /* /* */ FROM t FOR UPDATE /* */"]);
    // Letters that look like quotes.
    Refused("Locks").all(&["SELECT ’a FROM t FOR UPDATE; ’"]);
    Refused("Locks").all(&[r"SELECT `\` FROM t FOR UPDATE -- `"]);
    Refused("Locks").all(&[r"SELECT '\\' FROM t FOR UPDATE -- '"]);
}
