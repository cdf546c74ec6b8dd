//! The functions that a statement calls.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

use super::NotCacheable;
use super::functions::{self, FunctionKind};
use super::neighbours::{Neighbours, is_word, keyword};
use super::split::not_parsed;

/// Refuses a call of a function that isn't built in, or whose result can't be cached.
pub(super) fn check(name: &str, place: &Neighbours<'_>) -> Result<(), NotCacheable> {
    if !place.is_before_paren() || names_columns(place) {
        return Ok(());
    }
    let stored = || Err(NotCacheable::StoredFunction { what: name.into() });
    let Some(builtin) = functions::builtin(name) else {
        return if is_syntax(place) { Ok(()) } else { stored() };
    };
    if let Some(refusal) = functions::refusal(name, builtin.kind) {
        return Err(refusal);
    }
    // A name in quotes is a stored function's, even where the grammar has a built-in one.
    if !matches!(place.after(0), Some(Token::Word(Word { quote_style: None, .. }))) {
        return stored();
    }
    if builtin.joined && !place.is_joined_to_paren() {
        return not_parsed(format!(
            "`{name} (` is a stored function to a server without `IGNORE_SPACE`: write `{name}(`"
        ));
    }
    Ok(())
}

/// Returns whether this names a CTE or a derived table with its columns, or follows a value.
fn names_columns(place: &Neighbours<'_>) -> bool {
    // After a value, a call would need an operator before it.
    let after_value = match place.before(1) {
        Some(Token::RParen | Token::Placeholder(_) | Token::Number(..)) => true,
        Some(Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) => true,
        before => keyword(before) == Keyword::AS,
    };
    after_value || is_cte(place)
}

/// Returns whether this is `name (…) AS (`, which can't be a call.
fn is_cte(place: &Neighbours<'_>) -> bool {
    let names = place.pieces.iter().skip(place.at + 2).map(|piece| &piece.token);
    let mut rest = names.skip_while(|token| matches!(token, Token::Word(_) | Token::Comma));
    rest.next() == Some(&Token::RParen) && keyword(rest.next()) == Keyword::AS && rest.next() == Some(&Token::LParen)
}

/// Returns whether this is a word of the grammar that could be a function's name elsewhere.
fn is_syntax(place: &Neighbours<'_>) -> bool {
    let begins_query = || is_word(place.after(2), &["SELECT", "WITH", "VALUES", "TABLE"]);
    match place.after(0) {
        word if is_word(word, &["OF"]) => is_word(place.before(1), &["MEMBER"]),
        // As an argument, a query has its own parentheses.
        word if is_word(word, &["LATERAL"]) => begins_query(),
        word if is_word(word, &["MATERIALIZED"]) => {
            is_word(place.before(1), &["NOT"]) && keyword(place.before(2)) == Keyword::AS
        }
        _ => false,
    }
}

/// Returns when this word reads the clock. Returns `None` if it doesn't.
pub(super) fn clock(place: &Neighbours<'_>) -> Option<functions::Clock> {
    let Some(Token::Word(word)) = place.after(0) else { return None };
    if word.quote_style.is_some() || place.before(1) == Some(&Token::Period) {
        return None;
    }
    match functions::builtin(&word.value)?.kind {
        FunctionKind::Clock(clock) => Some(clock),
        _ => None,
    }
}
