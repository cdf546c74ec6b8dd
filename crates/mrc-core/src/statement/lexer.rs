//! MySQL's lexical rules, for sqlparser's tokenizer.
//!
//! [`sqlparser::dialect::MySqlDialect`] has three differences that could hide text from a check. It
//! expands executable comments, so that their positions and existence are lost. It takes `@` for a
//! letter. It joins `1.FOR` into one word, which a server reads as `1.` and `FOR`.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::tokenizer::{TokenWithSpan, Tokenizer, TokenizerError};

/// Returns all tokens of `sql`, with whitespace and comments. Literals keep their spelling.
pub(super) fn tokens(sql: &str, mode: Lexical) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&mode, sql).with_unescape(false).tokenize_with_location()
}

/// The part of the `sql_mode` that is about quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexical {
    /// Whether a backslash escapes within a string. `NO_BACKSLASH_ESCAPES` turns this off.
    pub(super) backslash_escapes: bool,
    /// Whether `"` quotes a name and not a string: `ANSI_QUOTES`.
    pub(super) ansi_quotes: bool,
}

impl Lexical {
    /// The servers' default.
    pub(super) const DEFAULT: Self = Self { backslash_escapes: true, ansi_quotes: false };
}

impl Dialect for Lexical {
    // The tokenizer reads `#` comments and `b'…'` only for MySQL's type.
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_' || ch == '$' || !ch.is_ascii()
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.is_identifier_start(ch) || ch.is_ascii_digit()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`' || self.ansi_quotes && ch == '"'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        self.backslash_escapes
    }

    // `5--1` is arithmetic: a comment needs a blank after its `--`.
    fn requires_single_line_comment_whitespace(&self) -> bool {
        true
    }
}

/// Returns whether a server may run this comment: `/*! … */`, and `/*M! … */` on MariaDB.
pub(super) fn is_executable(comment: &str) -> bool {
    comment.starts_with('!') || comment.starts_with("M!")
}
