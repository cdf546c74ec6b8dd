//! The places of a statement's `?` placeholders.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, TokenizerError, Whitespace};

use super::NotCacheable;
use super::split::{Lexical, is_executable, pieces_of, tokens};

/// The reason why the placeholders of a statement can't be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceholderError {
    /// The text can't be split into tokens: mostly, a string, a name or a comment isn't closed.
    #[error("the SQL text can't be read at line {line}, column {column}: {reason}")]
    Unreadable {
        /// The error of the tokenizer.
        reason: String,
        /// The line, from 1.
        line: u64,
        /// The column in characters, from 1.
        column: u64,
    },
    /// A `?` stands in an executable comment (`/*! … */`), which only some servers run.
    #[error("the placeholder in `/*{comment}*/` counts on some servers only; take it out of the executable comment")]
    InExecutableComment {
        /// The comment's text.
        comment: String,
    },
    /// Literals can't replace the placeholders: a server could read other tokens.
    #[error(
        "no values are written into this SQL text, since servers may read it differently: {why}; rewrite it, or bind the params to a prepared statement (`MySqlConfig::param_mode`)"
    )]
    Unsure {
        /// The reason why the readings may differ.
        why: String,
    },
    /// More text follows a `;`, and the server would run that too.
    #[error("only one statement can be sent at a time: split the text at `;`")]
    SeveralStatements,
}

impl From<TokenizerError> for PlaceholderError {
    fn from(error: TokenizerError) -> Self {
        Self::Unreadable { reason: error.message, line: error.location.line, column: error.location.column }
    }
}

/// Returns the byte offset of each `?` placeholder of `sql`, in order.
///
/// A `?` in a string, a quoted name or a comment is none. The text is read as MySQL reads it by
/// default: a backslash escapes within a string, and `#` and `-- ` start comments.
///
/// # Errors
/// - [`PlaceholderError::Unreadable`] when a string, a quoted name or a comment never ends;
/// - [`PlaceholderError::InExecutableComment`] when the count would depend on the server.
///
/// ```
/// use mrc_core::statement::placeholders;
///
/// let sql = "SELECT 'why?' FROM t WHERE é = ? AND id IN (?) -- ok?";
/// assert_eq!(placeholders(sql)?, [32, 45]);
/// # Ok::<(), mrc_core::statement::PlaceholderError>(())
/// ```
pub fn placeholders(sql: &str) -> Result<Vec<usize>, PlaceholderError> {
    offsets(sql, &tokens(sql, Lexical::DEFAULT)?)
}

/// Returns the byte offset of each `?` placeholder of `sql`, for callers that write literals there.
///
/// Stricter than [`placeholders`]: the text must be one statement whose tokens all servers read
/// alike, with and without `ANSI_QUOTES`. `NO_BACKSLASH_ESCAPES` turns `backslash_escapes` off.
///
/// # Errors
/// - Those of [`placeholders`];
/// - [`PlaceholderError::Unsure`] when a server could read other tokens;
/// - [`PlaceholderError::SeveralStatements`] when more text follows a `;`.
///
/// ```
/// use mrc_core::statement::{PlaceholderError, literal_places};
///
/// assert_eq!(literal_places("SELECT '?', ?;", true)?, [12]);
/// assert_eq!(literal_places("DO ?; DO 1", true), Err(PlaceholderError::SeveralStatements));
/// assert_eq!(literal_places(r"SELECT '\', ?", false)?, [12]);
/// # Ok::<(), PlaceholderError>(())
/// ```
pub fn literal_places(sql: &str, backslash_escapes: bool) -> Result<Vec<usize>, PlaceholderError> {
    let places = |ansi_quotes| {
        let tokens = tokens(sql, Lexical { backslash_escapes, ansi_quotes })?;
        let offsets = offsets(sql, &tokens)?;
        let why = |refusal| match refusal {
            NotCacheable::NotParsed { why } => why,
            NotCacheable::DependsOnSession { what } => format!("it has the hint {what}"),
            other => other.to_string(),
        };
        let pieces = pieces_of(sql, tokens).map_err(|refusal| PlaceholderError::Unsure { why: why(refusal) })?;
        let end = pieces.iter().position(|piece| piece.token == Token::SemiColon);
        let is_one = end.is_none_or(|end| end + 1 == pieces.len());
        if is_one { Ok(offsets) } else { Err(PlaceholderError::SeveralStatements) }
    };
    let found = places(false)?;
    // Only a backslash can make a text in double quotes and a name end at different places.
    if sql.contains('"') && sql.contains('\\') && places(true)? != found {
        let why = "a text in double quotes has a backslash, and they quote names in the sql_mode ANSI_QUOTES: \
                   write it in single quotes";
        return Err(PlaceholderError::Unsure { why: why.into() });
    }
    Ok(found)
}

fn offsets(sql: &str, tokens: &[TokenWithSpan]) -> Result<Vec<usize>, PlaceholderError> {
    // The tokenizer's positions are lines and characters. As in it, only a line feed starts a line.
    let mut places = sql.char_indices().scan(Location::new(1, 1), |next, (offset, ch)| {
        let here = *next;
        *next = if ch == '\n' { Location::new(here.line + 1, 1) } else { Location::new(here.line, here.column + 1) };
        Some((here, offset))
    });
    let mut offsets = Vec::new();
    for token in tokens {
        match &token.token {
            Token::Placeholder(_) => {
                let place = places.find(|(place, _)| *place == token.span.start);
                offsets.extend(place.map(|(_, offset)| offset));
            }
            Token::Whitespace(Whitespace::MultiLineComment(comment))
                if is_executable(comment) && comment.contains('?') =>
            {
                return Err(PlaceholderError::InExecutableComment { comment: comment.clone() });
            }
            _ => {}
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[usize]) {
        let found = placeholders(sql).unwrap();
        assert_eq!(found, expected, "{sql}");
        assert!(found.iter().all(|&at| sql.as_bytes()[at] == b'?'), "{sql}");
    }

    #[test]
    fn placeholders_are_found_where_the_server_sees_them() {
        check("", &[]);
        check("SELECT 1", &[]);
        check("?", &[0]);
        check("??", &[0, 1]);
        check("SELECT ?,?", &[7, 9]);
        check("IN (?) LIMIT ? OFFSET ?", &[4, 13, 22]);
        check("'?' ?", &[4]);
        check(r"'it\'s ?' ?", &[10]);
        check("'it''s ?' ?", &[10]);
        check(r"'\\' ?", &[5]);
        check(r#""a\"?" ?"#, &[7]);
        check("`a?``?` ?", &[8]);
        check(r"`a\` ?", &[5]);
        check("_utf8mb4'?' ? N'?'", &[12]);
        check("/* ? */ ? # ?\n?", &[8, 14]);
        check("-- ?\r\n?", &[6]);
        // A carriage return alone doesn't end a comment.
        check("-- ?\r?\n?", &[7]);
        check("5--?", &[3]);
        check("a/*x*/?", &[6]);
        check("/*+ NO_ICP(t) ? */ ?", &[19]);
        check("/*!50001 STRAIGHT_JOIN */ ?", &[26]);
        check("é\u{1F600}\t?\r\né ?", &[7, 13]);
        check("j->'$.a?'=?", &[10]);
        check("a=?AND b<?", &[2, 9]);
        check("/*é\n\n*/?", &[8]);
    }

    #[test]
    fn a_text_that_never_ends_is_an_error() {
        for sql in ["SELECT '?", "\"?", "`?", "/* ?", r"'\' ?", "/*! ?"] {
            let error = placeholders(sql).unwrap_err();
            assert!(matches!(error, PlaceholderError::Unreadable { .. }), "{sql}: {error}");
        }
    }

    #[test]
    fn a_placeholder_in_an_executable_comment_is_an_error() {
        for sql in ["SELECT 1 /*!50001 , ? */", "SELECT 1 /*M! , ? */"] {
            let error = placeholders(sql).unwrap_err();
            assert!(matches!(error, PlaceholderError::InExecutableComment { .. }), "{sql}: {error}");
        }
    }

    #[test]
    fn literals_are_written_only_where_every_server_reads_the_same() {
        let refused = |sql: &str| literal_places(sql, true).unwrap_err();
        let quoted = r#"SELECT "\", ? -- ""#;
        for sql in ["SELECT /*! 1, */ ?", "SELECT ?\0", "SELECT 1e3FOR, ?", "SELECT $$?$$, ?", "SELECT ?1", quoted] {
            assert!(matches!(refused(sql), PlaceholderError::Unsure { .. }), "{sql}: {}", refused(sql));
        }
        for sql in ["SELECT ?; DROP TABLE t", ";SELECT ?", "SELECT ?;;"] {
            assert_eq!(refused(sql), PlaceholderError::SeveralStatements, "{sql}");
        }
        for (sql, escapes, expected) in [
            ("SELECT ?; -- end", true, &[7][..]),
            ("SELECT '; ' , ?", true, &[14]),
            (r#"SELECT "\\", ?"#, true, &[13]),
            (r"SELECT '\', ?, '", true, &[]),
            (r"SELECT '\', ?", false, &[12]),
            (r"SELECT '\', ?, '\\?', ?", false, &[12, 22]),
        ] {
            let found = literal_places(sql, escapes).unwrap_or_default();
            assert_eq!(found, expected, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_every_offset_is_a_question_mark(sql in "\\PC{0,40}|[?'\"`/*!#\\-\\\\ \r\n\té😀a]{0,40}") {
            for at in placeholders(&sql).unwrap_or_default() {
                prop_assert_eq!(sql.as_bytes()[at], b'?');
            }
        }

        // Pieces with known placeholders, in any order.
        #[test]
        fn offsets_are_exact_in_any_arrangement(
            pieces in prop::collection::vec(prop::sample::select([PIECES, COMMENTS].concat()), 0..30),
        ) {
            let marked: String = pieces.iter().flat_map(|piece| [*piece, " "]).collect();
            let expected: Vec<usize> = marked.match_indices('¿').enumerate().map(|(nth, (at, _))| at - nth).collect();
            prop_assert_eq!(placeholders(&marked.replace('¿', "?")).unwrap(), expected);
        }
    }

    /// Pieces of SQL, with `¿` for each `?` that is a placeholder.
    const PIECES: &[&str] = &[
        "¿", "é=¿", "😀\t¿", "\r\n¿", "\n", "\t", "'😀?\n?'", r"'\'?'", r"'\\'", "'?''?'", "\"?\r\n\"", "`?\\`",
        "日本語", "1.5", "a--¿",
    ];
    const COMMENTS: &[&str] = &["# é?\r\n", "-- ?'\n", "/* ?\n* */¿"];
}
