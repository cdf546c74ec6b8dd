//! The tokens that the servers read in a text, or the reason why they could read others.
//!
//! The tokenizer and the servers split some texts differently. Such a text is refused: it could
//! hide a word that locks or writes, or the name of a call.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace, Word};

use super::lexer::{self, Lexical};
use super::refusal::NotCacheable;

/// A token, without the blanks and comments before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) token: Token,
    /// Whether no blank and no comment stands before this token.
    pub(super) joined: bool,
}

/// Returns the tokens without blanks and comments, and checks that no comment is more than that.
///
/// # Errors
/// [`NotCacheable::NotParsed`] when a server could read other tokens.
pub(crate) fn pieces(sql: &str) -> Result<Vec<Piece>, NotCacheable> {
    let tokens = lexer::tokens(sql, Lexical::DEFAULT);
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
        Whitespace::MultiLineComment(comment) if lexer::is_executable(comment) => {
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
