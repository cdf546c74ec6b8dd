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
pub(super) fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&Lexical, sql).with_unescape(false).tokenize_with_location()
}

#[derive(Debug)]
struct Lexical;

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
        ch == '`'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    // `5--1` is arithmetic.
    fn requires_single_line_comment_whitespace(&self) -> bool {
        true
    }
}
