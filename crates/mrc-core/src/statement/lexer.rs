//! MySQL's lexical rules, as sqlparser's tokenizer asks for them.
//!
//! [`sqlparser::dialect::MySqlDialect`] is close, with three differences that could hide text from
//! a check: it expands executable comments (their positions are lost, and so is the fact that there
//! was one), takes `@` for a letter, and joins `1.FOR` into one word, which a server reads as `1.`
//! and `FOR`.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::tokenizer::{TokenWithSpan, Tokenizer, TokenizerError};

/// All tokens of `sql`, whitespace and comments included, literals as they are spelled.
pub(super) fn tokens(sql: &str, mode: Lexical) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&mode, sql).with_unescape(false).tokenize_with_location()
}

/// What the `sql_mode` says about quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexical {
    /// A backslash escapes within a string. `NO_BACKSLASH_ESCAPES` turns it off.
    pub(super) backslash_escapes: bool,
    /// `"` quotes a name and not a string: `ANSI_QUOTES`.
    pub(super) ansi_quotes: bool,
}

impl Lexical {
    /// The servers' default.
    pub(super) const DEFAULT: Self = Self { backslash_escapes: true, ansi_quotes: false };
}

impl Dialect for Lexical {
    // The tokenizer asks for the type where it wants MySQL: `#` comments and `b'…'`.
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

    // `5--1` is arithmetic.
    fn requires_single_line_comment_whitespace(&self) -> bool {
        true
    }
}

/// Whether a server may run what stands in this comment: `/*! … */`, and `/*M! … */` on MariaDB.
pub(super) fn is_executable(comment: &str) -> bool {
    comment.starts_with('!') || comment.starts_with("M!")
}
