//! Texts that pass the read-only check, texts that don't, and texts that try to slip through.

mod refused;

use proptest::prelude::*;

use super::{check, depends_on_clock};

/// A variant of `NotCacheable`, by its name.
struct Refused(&'static str);

impl Refused {
    /// Checks that each statement is refused so.
    #[track_caller]
    fn all(self, statements: &[&str]) {
        for sql in statements {
            let found = check(sql).expect_err(sql);
            assert_eq!(format!("{found:?}").split(' ').next(), Some(self.0), "{sql}: {found}");
        }
    }
}

#[test]
fn calls_that_read_the_clock_are_named() {
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

#[test]
fn a_refusal_names_the_reason_and_the_remedy() {
    let message = |sql| check(sql).unwrap_err().to_string();
    let expected = "`INTO OUTFILE` writes: run the statement with `MrcClient::execute`";
    assert_eq!(message("SELECT a INTO OUTFILE 'x' FROM t"), expected);
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

/// A blank may stand between any two of these and those below, and none of them changes what the
/// others are.
const HARMLESS: &[&str] = &[
    "a", "t.b", "'\\''", "`update`", "`\\`", "1", "1.5", "?", ",", "+", "-", "=", "x'00'", "n'@'", "b IN (1)", "->",
    "||",
];
const HARMLESS_TEXTS: &[&str] = &["'FOR UPDATE'", "\"x\\\"\"", "/* LOCK */", "-- DELETE\n", "# INTO '\n"];

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
        before in prop::collection::vec(prop::sample::select([HARMLESS, HARMLESS_TEXTS].concat()), 0..12),
        after in prop::collection::vec(prop::sample::select([HARMLESS, HARMLESS_TEXTS].concat()), 0..12),
        found in prop::sample::select(vec!["FOR UPDATE", "INTO OUTFILE", "DELETE", "@x", "LOCK"]),
    ) {
        let (before, after) = (before.join(" "), after.join(" "));
        prop_assert_eq!(check(&format!("SELECT {before} {after}")), Ok(()));
        let sql = format!("SELECT {before} {found} {after}");
        prop_assert!(check(&sql).is_err(), "{}", sql);
    }
}

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

/// Typical queries of services, by server.
const QUERIES: &str = include_str!("../queries.sql");

#[test]
fn typical_queries_pass() {
    let mut queries = 0;
    for sql in QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with("-- ")) {
        assert_eq!(check(sql), Ok(()), "{sql}");
        queries += 1;
    }
    assert!(queries > 100, "{queries}");
}
