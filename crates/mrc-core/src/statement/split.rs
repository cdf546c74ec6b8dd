//! A text as the tokens that the servers read in it, or the reason why they could read others.
//!
//! The tokenizer and the servers split a text differently in a few places. There the text is refused: a word that locks or
//! writes, or the name of a call, could hide in what the tokenizer takes for something else.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace, Word};

use super::lexer::{self, Lexical};
use super::refusal::NotCacheable;

/// A token, without the blanks and comments before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) token: Token,
    /// Nothing stands between it and the token before, not even a comment.
    pub(super) joined: bool,
}

/// The tokens that aren't blanks or comments, once no comment turned out to be more than that.
///
/// # Errors
/// [`NotCacheable::NotParsed`] where a server could read other tokens.
pub(super) fn pieces(sql: &str) -> Result<Vec<Piece>, NotCacheable> {
    let tokens = lexer::tokens(sql, Lexical::DEFAULT);
    pieces_of(sql, tokens.map_err(|error| NotCacheable::NotParsed { why: error.to_string() })?)
}

/// As [`pieces`], of tokens that were read before.
pub(super) fn pieces_of(sql: &str, tokens: Vec<TokenWithSpan>) -> Result<Vec<Piece>, NotCacheable> {
    // To a server a NUL ends some comments, and the tokenizer goes on.
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
        // The tokenizer takes the L of the name `1L` for a suffix.
        if matches!(piece.token, Token::Number(_, true)) {
            piece.token = name(piece.token.to_string());
        }
    }
    Ok(pieces)
}

/// Appends a piece, or makes one name of it and the number that it is joined to.
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
        // Of `1e3LOCK` and `1.LOCK` the tokenizer's number takes the L.
        Token::Number(digits, true) if !is_digits(digits) => {
            not_parsed(format!("the number `{token}` runs into a word"))
        }
        // MySQL 9 reads a text to the next `$…$`.
        Token::Word(Word { value, quote_style: None, .. })
            if value.starts_with('$') && value.matches('$').count() > 1 =>
        {
            not_parsed(format!("`{token}` begins a text to some servers and is a name to others"))
        }
        // The tokenizer takes the digits after a `?`, a server begins a number there.
        Token::Placeholder(placeholder) if placeholder != "?" => not_parsed(format!("`{token}` isn't MySQL's")),
        // A server reads a word and a string with escapes where the tokenizer reads one literal.
        Token::SingleQuotedByteStringLiteral(bits) if bits.contains(|bit| !"01".contains(bit)) => {
            not_parsed(format!("`{token}` is no bit literal"))
        }
        Token::HexStringLiteral(hex) if hex.contains(|digit: char| !digit.is_ascii_hexdigit()) => {
            not_parsed(format!("`{token}` is no hexadecimal literal"))
        }
        _ => Ok(()),
    }
}

/// Refuses two tokens without a blank between them, of which a server may make others.
fn check_pair(before: &Token, token: &Token) -> Result<(), NotCacheable> {
    let number = matches!(before, Token::Number(..) | Token::HexStringLiteral(_));
    let may_split = match token {
        // Of `1e3LOCK` and `0x1FOR` the digits end where the server says; of `1.e(` old servers keep the `(` alone,
        // so that `SLEEP 1.e(9)` is a call.
        Token::Word(word) => number && word.quote_style.is_none(),
        // `1x'41'` is a name and a string.
        Token::SingleQuotedByteStringLiteral(_) | Token::NationalStringLiteral(_) => number || is_name(before),
        // `d.1()` calls the function `1` of the schema `d`; of `1L5` the tokenizer makes two numbers.
        Token::Number(..) | Token::HexStringLiteral(_) => is_name(before),
        // A name can't follow these, whatever the word after the `.` is.
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
        // To a server a no-break space doesn't make `--` a comment, to the tokenizer it does.
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
    // To a server a `*/` within quotes doesn't end a hint, to the tokenizer it does.
    let open_name = hint.matches('`').count() % 2 == 1;
    if open_name || hint.contains(['\'', '"']) {
        return not_parsed(format!("`/*{hint}*/` is a hint with a quoted text in it"));
    }
    Ok(())
}

pub(super) fn not_parsed<T>(why: impl Into<String>) -> Result<T, NotCacheable> {
    Err(NotCacheable::NotParsed { why: why.into() })
}
