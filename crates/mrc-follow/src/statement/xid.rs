//! The numbers of XA transactions.

use super::lexer::Token;
use crate::event::XaPrepare;

/// The number of an XA transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid {
    /// The format: 1 unless the client gave another.
    pub format: u64,
    /// The global part.
    pub gtrid: Vec<u8>,
    /// The branch.
    pub bqual: Vec<u8>,
}

impl From<&XaPrepare<'_>> for Xid {
    fn from(event: &XaPrepare<'_>) -> Self {
        let (gtrid, bqual) = (event.transaction.to_vec(), event.branch.to_vec());
        Self { format: event.format.into(), gtrid, bqual }
    }
}

impl Xid {
    /// Reads `X'6162',X'',1` up to the end, or up to a word such as `ONE PHASE`.
    pub(super) fn read(mut tokens: &[Token<'_>]) -> Option<Self> {
        let gtrid = part(&mut tokens)?;
        let bqual = if comma(&mut tokens) { part(&mut tokens)? } else { Vec::new() };
        let format = if comma(&mut tokens) { number(&mut tokens)? } else { 1 };
        let is_end = matches!(tokens.first(), None | Some(Token::Word(_)));
        is_end.then_some(Self { format, gtrid, bqual })
    }
}

fn comma(tokens: &mut &[Token<'_>]) -> bool {
    let Some((Token::Symbol(b','), rest)) = tokens.split_first() else { return false };
    *tokens = rest;
    true
}

fn number(tokens: &mut &[Token<'_>]) -> Option<u64> {
    let (Token::Word(word), rest) = tokens.split_first()? else { return None };
    *tokens = rest;
    word.parse().ok()
}

/// Reads `X'6162'`, `0x6162` or `'ab'`.
fn part(tokens: &mut &[Token<'_>]) -> Option<Vec<u8>> {
    let (value, rest) = match *tokens {
        [Token::Word(x), Token::Text(digits), rest @ ..] if x.eq_ignore_ascii_case("x") => (hex(digits)?, rest),
        [Token::Word(word), rest @ ..] => (hex(word.strip_prefix("0x")?.as_bytes())?, rest),
        // An escaped text isn't decoded.
        [Token::Text(text), rest @ ..] if !text.contains(&b'\\') && !text.contains(&b'\'') => (text.to_vec(), rest),
        _ => return None,
    };
    *tokens = rest;
    Some(value)
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
