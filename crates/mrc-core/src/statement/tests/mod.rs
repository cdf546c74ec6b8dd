//! Texts that pass the read-only check, texts that don't, and texts that try to slip through.

mod misread;
mod passing;
mod refused;

use proptest::prelude::*;

use super::{check, depends_on_clock};

/// Checks that the refusal of each statement is this variant of `NotCacheable`.
#[track_caller]
fn refused(variant: &str, statements: &[&str]) {
    for sql in statements {
        let found = check(sql).expect_err(sql);
        assert_eq!(format!("{found:?}").split(' ').next(), Some(variant), "{sql}: {found}");
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
