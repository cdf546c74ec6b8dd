//! Texts that pass the read-only check, texts that don't, and texts that try to slip through.

use proptest::prelude::*;

use super::{NotCacheable, check, check_ignoring_space, depends_on_clock};

#[test]
fn a_statement_that_only_reads_passes() {
    for sql in [
        // Shapes.
        "SELECT 1",
        "select id from t",
        "SELECT 1;",
        "SELECT 1 ; -- done",
        "(SELECT 1)",
        "((SELECT 1) UNION (SELECT 2)) LIMIT 1",
        "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
        "TABLE t ORDER BY a LIMIT 1 OFFSET 2",
        "VALUES ROW(1, 2), ROW(3, 4)",
        "VALUES (1), (2)",
        "SELECT a FROM (SELECT 1 AS a) d JOIN LATERAL (SELECT d.a) e ON TRUE",
        "SELECT 1 FROM DUAL WHERE EXISTS (SELECT 1 FROM t) AND NOT EXISTS (SELECT 1 FROM u)",
        "SELECT * FROM t1 NATURAL LEFT JOIN t2 CROSS JOIN t3 USING (id)",
        // MySQL's own syntax.
        "SELECT STRAIGHT_JOIN HIGH_PRIORITY SQL_NO_CACHE DISTINCT a FROM t",
        "SELECT a FROM t USE INDEX (i) IGNORE INDEX FOR ORDER BY (j) FORCE INDEX FOR JOIN (k)",
        "SELECT a FROM t PARTITION (p0, p1) LIMIT 1, 2",
        "SELECT a FROM t LIMIT ? OFFSET ?",
        "SELECT a FROM t WHERE id IN (?) AND b BETWEEN ? AND ?",
        "SELECT a, SUM(b) FROM t GROUP BY a WITH ROLLUP HAVING GROUPING(a) = 0",
        "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "SELECT RANK() OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SELECT j->'$.a', j->>'$.b[0]' FROM t",
        "SELECT a REGEXP '^x' OR a RLIKE 'y' OR a SOUNDS LIKE 'z' OR a NOT LIKE '%|_' ESCAPE '|' FROM t",
        "SELECT a <=> NULL, 5 DIV 2, 5 MOD 2, 5 % 2, a XOR b, a && b, a || b, !a, !!a, ~a FROM t",
        "SELECT a & 1 | 2 ^ 3 << 4 >> 5, a <> b, a != b, a<=-1, a>=-1 FROM t",
        "SELECT a FROM t WHERE created > NOW() - INTERVAL 1 DAY",
        "SELECT CURRENT_TIMESTAMP, CURRENT_DATE, CURDATE(), SYSDATE(6), UTC_TIMESTAMP(), UNIX_TIMESTAMP()",
        "SELECT GROUP_CONCAT(DISTINCT a ORDER BY b DESC SEPARATOR ', ') FROM t",
        "SELECT MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE) FROM t",
        "SELECT CAST(a AS UNSIGNED), CONVERT(a USING utf8mb4), CONVERT(a, CHAR(5)), CAST(a AS CHAR CHARACTER SET utf8mb4) FROM t",
        "SELECT _utf8mb4'x' COLLATE utf8mb4_bin, N'y', X'41', x'41', 0x41, b'01', 0b01, 1e5, .5, 1.",
        "SELECT 'a' 'b', \"c\", 'it''s', 'it\\'s', '\\Z', 'ü😀'",
        "SELECT TRIM(BOTH 'x' FROM a), SUBSTRING(a FROM 1 FOR 2), EXTRACT(DAY FROM b) FROM t",
        "SELECT SUBSTRING(a FROM value FOR 3) FROM t",
        "SELECT INSERT(a, 1, 2, 'x'), REPLACE (a, 'x', 'y') FROM t",
        "SELECT CASE WHEN a THEN 1 ELSE 2 END, IF(a, 1, 2), COALESCE(a, b) FROM t",
        "SELECT jt.a FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) AS jt",
        "SELECT {d '2020-01-01'}, DATE '2020-01-01', TRUE, NULL",
        "SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01'",
        "SELECT a FROM db.t WHERE db.t.a = 5--1",
        "SELECT 2024_sales.total FROM `2024_sales`, 2023_sales",
        "SELECT $a, a$b, größe, 日本語 FROM t",
        // Comments.
        "-- first\nSELECT 1",
        "# first FOR UPDATE\n/* LOCK; */ SELECT 1 --\n",
        "SELECT/**/1/* a /* b */",
        "SELECT 1 -- ; DELETE FROM t",
        "SELECT /*+ MAX_EXECUTION_TIME(1000) INDEX(`t` `i`) */ a FROM t",
        "SELECT /* 'it' */ 1",
        // Names and literals that look like something else.
        "SELECT 'FOR UPDATE', \"INTO OUTFILE\", '; DELETE FROM t', '@x', '/*! x */'",
        "SELECT `update`, `into`, `@x`, `lock`, `for update` FROM `delete`",
        "SELECT t.update, t.lock, t.`for`, t . into FROM t",
        "SELECT user, database, schema, rand, uuid, sleep, row_count FROM t",
        "SELECT a AS last_insert_id, b user, `current_user` FROM t AS uuid",
        "WITH user (id, name) AS (SELECT 1, 2) SELECT user.id FROM user",
        "WITH `rand` (id) AS (SELECT 1), database AS (SELECT 2) SELECT * FROM rand, database",
        "SELECT * FROM (SELECT 1) AS user (id) JOIN (SELECT 2) sleep (id)",
        "SELECT updated_at, deleted, inserted, locked, share, next, value FROM t",
        "SELECT a FROM t WHERE user IN (1) AND a = 'x'",
        "SELECT t.current_user FROM t",
    ] {
        assert_eq!(check(sql), Ok(()), "{sql}");
    }
}

#[derive(Debug, PartialEq)]
enum Kind {
    Empty,
    Several,
    NotASelect,
    Writes,
    Locks,
    Session,
    Random,
    Waits,
    Stored,
    NotParsed,
}

fn kind(refusal: &NotCacheable) -> Kind {
    match refusal {
        NotCacheable::Empty => Kind::Empty,
        NotCacheable::SeveralStatements => Kind::Several,
        NotCacheable::NotASelect { .. } => Kind::NotASelect,
        NotCacheable::Writes { .. } => Kind::Writes,
        NotCacheable::Locks { .. } => Kind::Locks,
        NotCacheable::DependsOnSession { .. } => Kind::Session,
        NotCacheable::NonDeterministic { .. } => Kind::Random,
        NotCacheable::Waits { .. } => Kind::Waits,
        NotCacheable::StoredFunction { .. } => Kind::Stored,
        NotCacheable::NotParsed { .. } => Kind::NotParsed,
    }
}

#[track_caller]
fn refused(expected: &Kind, statements: &[&str]) {
    for sql in statements {
        let found = check(sql).expect_err(sql);
        assert_eq!(kind(&found), *expected, "{sql}: {found}");
    }
}

#[test]
fn a_statement_that_writes_is_refused() {
    refused(
        &Kind::Writes,
        &[
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
        ],
    );
}

#[test]
fn a_statement_that_locks_is_refused() {
    refused(
        &Kind::Locks,
        &[
            "SELECT a FROM t FOR UPDATE",
            "SELECT a FROM t for\n/* x */ share OF t SKIP LOCKED",
            "SELECT a FROM (SELECT a FROM t FOR UPDATE) d",
            "SELECT a FROM t LOCK IN SHARE MODE",
            "(SELECT a FROM t FOR UPDATE) UNION SELECT 1",
            "SELECT 1 AS `a`FOR UPDATE",
            "SELECT GET_LOCK('x', 1)",
            "SELECT `release_lock`('x')",
            "SELECT IS_FREE_LOCK ('x')",
        ],
    );
}

#[test]
fn a_statement_that_depends_on_the_session_is_refused() {
    refused(
        &Kind::Session,
        &[
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
        ],
    );
}

#[test]
fn a_new_value_at_each_call_or_a_wait_is_refused() {
    refused(
        &Kind::Random,
        &[
            "SELECT UUID()",
            "SELECT a FROM t ORDER BY RAND()",
            "SELECT RAND(3)",
            "SELECT RANDOM_BYTES(8)",
            "SELECT ENCRYPT('x')",
        ],
    );
    refused(&Kind::Waits, &["SELECT SLEEP(1)", "SELECT BENCHMARK(1, 1)", "SELECT a.b, sleep (1) FROM a"]);
}

#[test]
fn what_is_not_one_select_is_refused() {
    refused(&Kind::Empty, &["", " \n\t", "-- x", "/* x */", ";", "("]);
    refused(&Kind::Several, &["SELECT 1; SELECT 2", "SELECT/**/1;/**/DELETE FROM t", "SELECT 1;;"]);
    refused(
        &Kind::NotASelect,
        &[
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
        ],
    );
}

#[test]
fn a_function_that_no_server_has_built_in_is_refused() {
    refused(
        &Kind::Stored,
        &[
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
        ],
    );
}

#[test]
fn a_blank_before_a_parenthesis_makes_a_stored_function_unless_the_session_ignores_it() {
    let blanks = ["SELECT now ()", "SELECT COUNT (*)", "SELECT MAX/**/(a) FROM t", "SELECT sum\n(a) FROM t"];
    refused(&Kind::NotParsed, &blanks);
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
    refused(
        &Kind::Session,
        &[
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
        ],
    );
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
fn what_reads_the_clock_is_named() {
    let check = |sql: &str, expected: Option<&str>| assert_eq!(depends_on_clock(sql).as_deref(), expected, "{sql}");
    check("SELECT a FROM t WHERE b > NOW() - INTERVAL 1 DAY", Some("NOW()"));
    check("SELECT CurDate()", Some("CurDate()"));
    check("SELECT a, SYSDATE(6)", Some("SYSDATE()"));
    check("SELECT CURRENT_TIMESTAMP", Some("CURRENT_TIMESTAMP"));
    check("SELECT current_timestamp(3)", Some("current_timestamp()"));
    check("SELECT a FROM t WHERE d = CURRENT_DATE OR d = LOCALTIME", Some("CURRENT_DATE"));
    check("SELECT UTC_TIMESTAMP()", Some("UTC_TIMESTAMP()"));
    check("SELECT UNIX_TIMESTAMP()", Some("UNIX_TIMESTAMP()"));
    check("SELECT UNIX_TIMESTAMP(b) FROM t", None);
    check("SELECT UNIX_TIMESTAMP(NOW())", Some("NOW()"));
    check("SELECT {fn curtime()}", Some("curtime()"));
    // SQLite's.
    check("SELECT datetime('now', '-1 day')", Some("datetime('now')"));
    check("SELECT strftime('%s', 'NOW')", Some("strftime('NOW')"));
    check("SELECT strftime('%s')", Some("strftime()"));
    check("SELECT julianday(), date()", Some("julianday()"));
    check("SELECT strftime('%s', a), date(a), datetime(max(a, b)) FROM t", None);
    // Not the clock.
    check("SELECT 'NOW()', `now`, \"now()\" -- NOW()", None);
    check("SELECT a FROM t WHERE state = 'now'", None);
    check("SELECT t.current_date, now, curdate, t.now FROM t", None);
    check("SELECT a FROM t WHERE b = ?", None);
    check("SELECT 'unterminated", None);
    check("", None);
}

/// Typical queries of services, by server.
const QUERIES: &str = include_str!("queries.sql");

#[test]
fn typical_queries_pass() {
    let mut queries = 0;
    for sql in QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with("-- ")) {
        assert_eq!(check(sql), Ok(()), "{sql}");
        queries += 1;
    }
    assert!(queries > 100, "{queries}");
}

#[test]
fn a_text_that_servers_may_read_differently_is_refused() {
    refused(
        &Kind::NotParsed,
        &[
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
        ],
    );
    // No comment: the server subtracts, and locks.
    refused(&Kind::Locks, &["SELECT 1 --1 FROM t FOR UPDATE"]);
    refused(&Kind::Locks, &["SELECT 1 # x\n FROM t FOR UPDATE"]);
    refused(&Kind::Locks, &["SELECT 1 /* /* */ FROM t FOR UPDATE /* */"]);
    // Letters that look like quotes.
    refused(&Kind::Locks, &["SELECT ’a FROM t FOR UPDATE; ’"]);
    refused(&Kind::Locks, &[r"SELECT `\` FROM t FOR UPDATE -- `"]);
    refused(&Kind::Locks, &[r"SELECT '\\' FROM t FOR UPDATE -- '"]);
}

#[test]
fn a_refusal_says_what_was_found_and_what_to_do() {
    let message = |sql| check(sql).unwrap_err().to_string();
    assert_eq!(
        message("SELECT a INTO OUTFILE 'x' FROM t"),
        "`INTO OUTFILE` writes: run the statement with `MrcClient::execute`"
    );
    for (sql, found) in [
        ("SELECT 1 FOR share", "`FOR share`"),
        ("SELECT NEXT VALUE FOR s", "`NEXT VALUE FOR`"),
        ("SELECT @@sql_mode", "`@@sql_mode`"),
        ("SELECT Uuid()", "`Uuid()`"),
        ("SELECT db.`f`()", "`db.f`"),
        ("SHOW TABLES", "`SHOW`"),
        ("SELECT 'x", "Unterminated string literal at Line: 1, Column: 8"),
    ] {
        assert!(message(sql).contains(found), "{}", message(sql));
    }
    for sql in ["SELECT 'x", "SELECT db.f()", "SELECT RAND()", "SELECT 1 /*! x */"] {
        assert!(message(sql).contains("Query::trust_read_only()"), "{sql}");
    }
    for sql in ["SELECT 1;;", "SHOW x", "SELECT @x", "SELECT SLEEP(1)", "SELECT 'x"] {
        assert!(message(sql).contains("MrcClient::query"), "{sql}");
    }
}

/// A blank may stand between any two of these, and none of them changes what the others are.
const HARMLESS: &[&str] = &[
    "a",
    "t.b",
    "'FOR UPDATE'",
    "'\\''",
    "\"x\\\"\"",
    "`update`",
    "`\\`",
    "1",
    "1.5",
    "?",
    ",",
    "+",
    "-",
    "=",
    "/* LOCK */",
    "-- DELETE\n",
    "# INTO '\n",
    "x'00'",
    "n'@'",
    "b IN (1)",
    "->",
    "||",
];

proptest! {
    #[test]
    fn arbitrary_text_never_panics(sql in "\\PC{0,60}") {
        let _ = check(&sql);
    }

    #[test]
    fn sql_like_text_never_panics(
        sql in "(SELECT |[-'\"`/*!#@.;()\\\\ \n0-9aeLbnx\u{0}\u{a0}é?:|+]|FOR UPDATE|1\\.|AS ){0,40}"
    ) {
        let _ = check(&sql);
    }

    // A word that locks or writes is seen, whatever stands around it.
    #[test]
    fn nothing_harmless_hides_what_is_not(
        before in prop::collection::vec(prop::sample::select(HARMLESS), 0..12),
        after in prop::collection::vec(prop::sample::select(HARMLESS), 0..12),
        found in prop::sample::select(vec!["FOR UPDATE", "INTO OUTFILE", "DELETE", "@x", "LOCK"]),
    ) {
        let (before, after) = (before.join(" "), after.join(" "));
        prop_assert_eq!(check(&format!("SELECT {before} {after}")), Ok(()));
        let sql = format!("SELECT {before} {found} {after}");
        prop_assert!(check(&sql).is_err(), "{}", sql);
    }
}
