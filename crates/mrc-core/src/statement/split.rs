//! The tokens that the servers read in a text, or the reason why they could read others.
//!
//! The tokenizer and the servers split some texts differently. Such a text is refused: it could
//! hide a word that locks or writes, or the name of a call.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace, Word};

use super::refusal::NotCacheable;

/// A token, without the blanks and comments before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) token: Token,
    /// Whether no blank and no comment stands before this token.
    pub(super) joined: bool,
}

/// Returns the tokens without blanks and comments, unless a server could read other tokens.
pub(crate) fn pieces(sql: &str) -> Result<Vec<Piece>, NotCacheable> {
    let tokens = tokens(sql, Lexical::DEFAULT);
    pieces_of(sql, tokens.map_err(|error| NotCacheable::NotParsed { why: error.to_string() })?)
}

/// As [`pieces`], from tokens that were read before.
pub(super) fn pieces_of(sql: &str, tokens: Vec<TokenWithSpan>) -> Result<Vec<Piece>, NotCacheable> {
    // A NUL ends some comments for a server, but not for the tokenizer.
    if sql.contains('\0') {
        return not_parsed("it holds a NUL byte");
    }
    let mut pieces: Vec<Piece> = Vec::with_capacity(tokens.len());
    let mut joined = false;
    for token in tokens {
        match token.token {
            Token::Whitespace(blank) => {
                check_blank(&blank)?;
                joined = false;
            }
            token => {
                push(&mut pieces, Piece { token, joined })?;
                joined = true;
            }
        }
    }
    for piece in &mut pieces {
        // The tokenizer reads the L of the name `1L` as a suffix.
        if matches!(piece.token, Token::Number(_, true)) {
            piece.token = name(piece.token.to_string());
        }
    }
    Ok(pieces)
}

/// Appends a piece. A word that is joined to a number makes one name with it.
fn push(pieces: &mut Vec<Piece>, piece: Piece) -> Result<(), NotCacheable> {
    check_alone(&piece.token)?;
    let before = if piece.joined { pieces.last_mut().map(|before| &mut before.token) } else { None };
    match (before, &piece.token) {
        // `2024_sales` is a name, and so is `0b1LOCK`.
        (Some(number @ Token::Number(..)), Token::Word(word)) if word.quote_style.is_none() && is_whole(number) => {
            *number = name(format!("{number}{}", word.value));
            return Ok(());
        }
        (Some(before), token) => check_pair(before, token)?,
        (None, _) => {}
    }
    pieces.push(piece);
    Ok(())
}

fn check_alone(token: &Token) -> Result<(), NotCacheable> {
    match token {
        // In `1e3LOCK` and `1.LOCK`, the tokenizer's number takes the L.
        Token::Number(digits, true) if !is_digits(digits) => {
            not_parsed(format!("the number `{token}` runs into a word"))
        }
        // MySQL 9 reads a text up to the next `$…$`.
        Token::Word(Word { value, quote_style: None, .. })
            if value.starts_with('$') && value.matches('$').count() > 1 =>
        {
            not_parsed(format!("`{token}` begins a text to some servers and is a name to others"))
        }
        // The tokenizer takes the digits after a `?`, but a server begins a number there.
        Token::Placeholder(placeholder) if placeholder != "?" => not_parsed(format!("`{token}` isn't MySQL's")),
        // A server reads a word and a string with escapes, where the tokenizer reads one literal.
        Token::SingleQuotedByteStringLiteral(bits) if bits.contains(|bit| !"01".contains(bit)) => {
            not_parsed(format!("`{token}` is no bit literal"))
        }
        Token::HexStringLiteral(hex) if hex.contains(|digit: char| !digit.is_ascii_hexdigit()) => {
            not_parsed(format!("`{token}` is no hexadecimal literal"))
        }
        _ => Ok(()),
    }
}

/// Refuses two joined tokens that a server may split differently.
fn check_pair(before: &Token, token: &Token) -> Result<(), NotCacheable> {
    let number = matches!(before, Token::Number(..) | Token::HexStringLiteral(_));
    let may_split = match token {
        // In `1e3LOCK` and `0x1FOR`, the server decides where the digits end. Old servers split the
        // `(` from `1.e(`, so that `SLEEP 1.e(9)` is a call.
        Token::Word(word) => number && word.quote_style.is_none(),
        // `1x'41'` is a name and a string.
        Token::SingleQuotedByteStringLiteral(_) | Token::NationalStringLiteral(_) => number || is_name(before),
        // `d.1()` calls the function `1` of the schema `d`; the tokenizer splits `1L5`.
        Token::Number(..) | Token::HexStringLiteral(_) => is_name(before),
        // After anything but a name, a word behind the `.` isn't a name.
        Token::Period => !is_name(before),
        _ => false,
    };
    if may_split { not_parsed(format!("servers may split `{before}{token}` differently")) } else { Ok(()) }
}

fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(_) | Token::DoubleQuotedString(_) | Token::Number(_, true))
}

fn is_whole(number: &Token) -> bool {
    matches!(number, Token::Number(digits, _) if is_digits(digits))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn name(value: String) -> Token {
    Token::Word(Word { value, quote_style: None, keyword: Keyword::NoKeyword })
}

fn check_blank(blank: &Whitespace) -> Result<(), NotCacheable> {
    match blank {
        Whitespace::MultiLineComment(comment) if is_executable(comment) => {
            not_parsed(format!("`/*{comment}*/` is a comment to some servers and SQL to others"))
        }
        Whitespace::MultiLineComment(comment) if comment.starts_with('+') => check_hint(comment),
        // A no-break space makes `--` a comment for the tokenizer, but not for a server.
        Whitespace::SingleLineComment { prefix, comment }
            if prefix == "--" && comment.starts_with(|ch: char| !ch.is_ascii()) =>
        {
            not_parsed("a comment has no plain space after its `--`")
        }
        _ => Ok(()),
    }
}

fn check_hint(hint: &str) -> Result<(), NotCacheable> {
    if hint.to_ascii_uppercase().contains("SET_VAR") {
        return Err(NotCacheable::DependsOnSession { what: "SET_VAR".into() });
    }
    // A `*/` within quotes ends a hint for the tokenizer, but not for a server.
    let open_name = hint.matches('`').count() % 2 == 1;
    if open_name || hint.contains(['\'', '"']) {
        return not_parsed(format!("`/*{hint}*/` is a hint with a quoted text in it"));
    }
    Ok(())
}

pub(super) fn not_parsed<T>(why: impl Into<String>) -> Result<T, NotCacheable> {
    Err(NotCacheable::NotParsed { why: why.into() })
}

/// A token with its neighbours.
pub(super) struct Neighbours<'a> {
    pub(super) pieces: &'a [Piece],
    pub(super) at: usize,
    /// Whether a blank before a `(` changes nothing.
    pub(super) ignores_space: bool,
}

impl Neighbours<'_> {
    pub(super) fn before(&self, steps: usize) -> Option<&Token> {
        self.pieces.get(self.at.checked_sub(steps)?).map(|piece| &piece.token)
    }

    pub(super) fn after(&self, steps: usize) -> Option<&Token> {
        self.pieces.get(self.at + steps).map(|piece| &piece.token)
    }

    pub(super) fn is_before_paren(&self) -> bool {
        self.after(1) == Some(&Token::LParen)
    }

    /// Returns whether the next token, a `(`, follows as the session wants it.
    pub(super) fn is_joined_to_paren(&self) -> bool {
        self.ignores_space || self.pieces.get(self.at + 1).is_some_and(|next| next.joined)
    }
}

/// Returns each token with the number of parentheses that are open behind it.
pub(crate) fn with_depth<'a>(tokens: impl Iterator<Item = &'a Token>) -> impl Iterator<Item = (usize, &'a Token)> {
    tokens.scan(0_usize, |depth, token| {
        match token {
            Token::LParen => *depth += 1,
            Token::RParen => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some((*depth, token))
    })
}

pub(super) fn keyword(token: Option<&Token>) -> Keyword {
    match token {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// Returns a name without its quotes, and any other token as it is.
pub(super) fn text(token: Option<&Token>) -> String {
    match token {
        Some(Token::Word(Word { value, .. }) | Token::DoubleQuotedString(value)) => value.clone(),
        Some(token) => token.to_string(),
        None => String::new(),
    }
}

/// Returns whether `token` is one of `keywords`, without quotes. Faster than [`is_word`].
pub(crate) fn is_keyword(token: Option<&Token>, keywords: &[Keyword]) -> bool {
    keywords.contains(&keyword(token))
}

/// Returns whether `token` is one of `words`, without quotes.
pub(super) fn is_word(token: Option<&Token>, words: &[&str]) -> bool {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => {
            words.iter().any(|wanted| word.value.eq_ignore_ascii_case(wanted))
        }
        _ => false,
    }
}

/// Returns all tokens of `sql`, with whitespace and comments. Literals keep their spelling.
pub(super) fn tokens(sql: &str, mode: Lexical) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&mode, sql).with_unescape(false).tokenize_with_location()
}

/// MySQL's lexical rules, for sqlparser's tokenizer: the part of the `sql_mode` that is about
/// quotes.
///
/// [`MySqlDialect`] has three differences that could hide text from a check. It expands executable
/// comments, so that their positions and existence are lost. It takes `@` for a letter. It joins
/// `1.FOR` into one word, which a server reads as `1.` and `FOR`.
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
