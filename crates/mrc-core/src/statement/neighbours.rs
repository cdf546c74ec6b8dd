//! A token with its neighbours.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

use super::split::Piece;

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
