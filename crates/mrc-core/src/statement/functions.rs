//! The functions that a statement calls: the built-in ones, and which of them can't be cached.

use std::sync::LazyLock;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

use super::NotCacheable;
use super::split::{Neighbours, is_word, keyword, not_parsed};

/// The properties of a name before a `(`.
#[derive(Debug, Clone, Copy, Default)]
struct Builtin {
    /// Why a call isn't cached, by its text. The time functions pass (see the module's docs).
    refusal: Option<fn(String) -> NotCacheable>,
    clock: Option<Clock>,
    /// Whether a blank before the `(` makes this a stored function, save with `IGNORE_SPACE`.
    joined: bool,
}

/// When a function reads the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Always, without parentheses too.
    Word,
    /// Always.
    Call,
    /// If it has at most this many arguments.
    Arguments(usize),
}

/// The built-in functions, sorted by name. Names are in upper case.
static BUILTINS: LazyLock<Vec<(&str, Builtin)>> = LazyLock::new(|| {
    include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

fn parse(line: &str) -> Option<(&str, Builtin)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let mut builtin = Builtin::default();
    for word in words {
        match word {
            "joined" => builtin.joined = true,
            "writes" => builtin.refusal = Some(|what| NotCacheable::Writes { what }),
            "locks" => builtin.refusal = Some(|what| NotCacheable::Locks { what }),
            "session" => builtin.refusal = Some(|what| NotCacheable::DependsOnSession { what }),
            "random" => builtin.refusal = Some(|what| NotCacheable::NonDeterministic { what }),
            "waits" => builtin.refusal = Some(|what| NotCacheable::Waits { what }),
            "clock" => builtin.clock = Some(Clock::Word),
            "clock-call" => builtin.clock = Some(Clock::Call),
            "clock-of-none" => builtin.clock = Some(Clock::Arguments(0)),
            "clock-of-one" => builtin.clock = Some(Clock::Arguments(1)),
            // A server, or `syntax`: a word of the grammar, which no server takes for a stored
            // function.
            _ => {}
        }
    }
    Some((name, builtin))
}

/// Returns the built-in function of this name, in any case. Returns `None` if no server has it.
fn builtin(name: &str) -> Option<Builtin> {
    let name = name.to_ascii_uppercase();
    let at = BUILTINS.binary_search_by(|(known, _)| known.cmp(&&*name)).ok()?;
    BUILTINS.get(at).map(|(_, builtin)| *builtin)
}

/// Refuses a call of a function that isn't built in, or whose result can't be cached.
pub(super) fn check_call(name: &str, place: &Neighbours<'_>) -> Result<(), NotCacheable> {
    if !place.is_before_paren() || names_columns(place) {
        return Ok(());
    }
    let stored = || Err(NotCacheable::StoredFunction { what: name.into() });
    let Some(builtin) = builtin(name) else {
        return if is_syntax(place) { Ok(()) } else { stored() };
    };
    if let Some(refusal) = builtin.refusal {
        return Err(refusal(format!("{name}()")));
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
pub(super) fn clock(place: &Neighbours<'_>) -> Option<Clock> {
    let Some(Token::Word(word)) = place.after(0) else { return None };
    if word.quote_style.is_some() || place.before(1) == Some(&Token::Period) {
        return None;
    }
    builtin(&word.value)?.clock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_word_of_it_is_known() {
        assert!(BUILTINS.is_sorted_by(|(one, _), (next, _)| one < next));
        let lines: Vec<_> = include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), BUILTINS.len());
        for line in lines {
            let mut words = line.split(' ');
            let name = words.next().unwrap();
            let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(is_upper), "{line}");
            let known = "clock clock-call clock-of-none clock-of-one session random locks waits mysql mariadb sqlite \
                         other joined writes syntax";
            assert!(words.all(|word| known.split(' ').any(|one| one == word)), "{line}");
        }
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        let found =
            |name| builtin(name).map(|it| (it.refusal.map(|refusal| refusal("f()".into())), it.clock, it.joined));
        assert_eq!(found("Json_Extract"), Some((None, None, false)));
        assert_eq!(found("sum"), Some((None, None, true)));
        let random = NotCacheable::NonDeterministic { what: "f()".into() };
        assert_eq!(found("encrypt"), Some((Some(random), None, false)));
        for unknown in ["my_function", "", "innodb_redo_log_archive_start", "keyring_key_store", "straße"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
