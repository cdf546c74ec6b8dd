//! The read-only check, and the searches for placeholders and for the clock.

use arbitrary::Unstructured;
use mrc_core::statement::{check, depends_on_clock, placeholders};

use crate::input::{joined, text};

const SCHEMA: &str = "information_schema";
const PROCESSES: &str = "processlist";
const PIECES: &[&str] = &[
    "SELECT", " ", "1", "?", ",", "(", ")", "FROM", "t", "WHERE", "id", "=", "'", "\"", "`", "\\", "''", "--", "-- ",
    "#", "\n", "\r", "/*", "*/", "/*!", "/*+", "/*M!", ";", "@", "@@", ":=", ".", "1.", "e", "x'41'", "b'1'", "N'a'",
    "FOR", "UPDATE", "LOCK", "INTO", "NOW", "SLEEP", "WITH", "AS", "UNION", "VALUES", "\0", "\u{a0}", "é", "😀", "$$",
    "{", "}", "->", "->>", "<=>", "||", "0x", "_utf8mb4", "1e3", ".5", "L", "0b1", "$a$", "f", "f(", "COUNT", "COUNT(",
    "NOW()", "'now'", "nextval", "JOIN", "sys", SCHEMA, PROCESSES, "COLUMNS", "LATERAL", "OF",
];

/// Checks a statement: the text as it is, or joined words.
pub fn statement(data: &[u8]) {
    let sql = text(data, |input: &mut Unstructured<'_>| joined(input, PIECES, 48));
    places(&sql);
    let passes = check(&sql).is_ok();
    // A blank after a `--` at the very end makes a comment.
    if !sql.ends_with("--") {
        for after in ["\n", " \t\r\n", "\n-- a comment", "\n# a comment"] {
            assert_eq!(check(&format!("{sql}{after}")).is_ok(), passes, "{after:?} after {sql:?}");
        }
        // This comment may end one that the text leaves open.
        assert!(!passes || check(&format!("{sql}\n/* a comment */")).is_ok(), "a comment after {sql:?}");
    }
    for before in [" ", "/* a comment */ ", "-- a comment\n", "# a comment\n"] {
        assert_eq!(check(&format!("{before}{sql}")).is_ok(), passes, "{before:?} before {sql:?}");
    }
    // After a `.` a reserved word is a name, after a `)` it isn't.
    for never in ["\nFOR UPDATE", "\n) LOCK IN SHARE MODE", "\n; SELECT 1", "\n) INTO OUTFILE 'f'"] {
        assert!(check(&format!("{sql}{never}")).is_err(), "{sql:?} passes with {never:?}");
    }
    // After any text, an operator begins a value, so that a call follows.
    for call in ["f()", "db.f(1)", "`now`()", "now ()", "1f()", "db.1()", "s.nextval", "ENCRYPT('a')"] {
        assert!(check(&format!("{sql}\n+ {call}")).is_err(), "{sql:?} passes with {call:?}");
    }
    for number in ["1e3LOCK IN SHARE MODE", "0x1FOR UPDATE", ".5for share"] {
        assert!(check(&format!("{sql}\n= {number}")).is_err(), "{sql:?} passes with {number:?}");
    }
    clock(&sql, passes);
}

/// Checks that a clock reading is found wherever it stands, and that a comment changes nothing.
fn clock(sql: &str, passes: bool) {
    let found = depends_on_clock(sql);
    assert_eq!(depends_on_clock(&format!("/* a comment */ {sql}\n# NOW()")), found, "{sql:?}");
    assert!(!passes || depends_on_clock(&format!("{sql}\n+ NOW()")).is_some(), "NOW() after {sql:?}");
}

/// Checks that each place is a `?`, in ascending order.
fn places(sql: &str) {
    let Ok(places) = placeholders(sql) else { return };
    assert!(places.iter().all(|&at| sql.as_bytes().get(at) == Some(&b'?')), "{places:?} of {sql:?}");
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?} of {sql:?}");
}
