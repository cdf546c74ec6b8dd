//! Texts that servers may read differently than the tokenizer does.

use super::refused;

#[test]
fn a_text_that_servers_may_read_differently_is_refused() {
    refused(
        "NotParsed",
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
    refused("Locks", &["SELECT 1 --1 FROM t FOR UPDATE"]);
    refused("Locks", &["SELECT 1 # x\n FROM t FOR UPDATE"]);
    refused("Locks", &["SELECT 1 /* /* */ FROM t FOR UPDATE /* */"]);
    // Letters that look like quotes.
    refused("Locks", &["SELECT ’a FROM t FOR UPDATE; ’"]);
    refused("Locks", &[r"SELECT `\` FROM t FOR UPDATE -- `"]);
    refused("Locks", &[r"SELECT '\\' FROM t FOR UPDATE -- '"]);
}
