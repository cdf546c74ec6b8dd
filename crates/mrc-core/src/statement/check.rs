//! The read-only check, token by token.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Whitespace, Word};

use super::{NotCacheable, functions, lexer, placeholder};

/// Whether the answer of `sql` may be cached; see the [module](super)'s docs for the rules.
///
/// A pure function of the text; its cost grows with the text's length only.
///
/// # Errors
///
/// What was found that writes, locks, depends on the session or can't be read.
///
/// ```
/// use mrc_core::statement::{NotCacheable, check};
///
/// assert!(check("SELECT id FROM t WHERE name = 'FOR UPDATE'").is_ok());
///
/// let refused = check("SELECT id FROM t WHERE id = ? FOR UPDATE").unwrap_err();
/// assert_eq!(refused, NotCacheable::Locks { what: "FOR UPDATE".into() });
/// ```
pub fn check(sql: &str) -> Result<(), NotCacheable> {
    // To a server a NUL ends some comments, and the tokenizer goes on.
    if sql.contains('\0') {
        return not_parsed("it holds a NUL byte");
    }
    let tokens = significant_tokens(sql)?;
    let tokens = match tokens.as_slice() {
        [statement @ .., Token::SemiColon] => statement,
        statement => statement,
    };
    check_first_word(tokens)?;
    for at in 0..tokens.len() {
        check_token(&Place { tokens, at })?;
    }
    Ok(())
}

/// The tokens that aren't blanks or comments, once no comment turned out to be more than that.
fn significant_tokens(sql: &str) -> Result<Vec<Token>, NotCacheable> {
    let tokens = lexer::tokens(sql).map_err(|error| NotCacheable::NotParsed { why: error.to_string() })?;
    let mut significant = Vec::with_capacity(tokens.len());
    let mut after_fraction = false;
    for token in tokens {
        let token = token.token;
        // Of `1.LOCK` the tokenizer's number takes the L too; of `1.e(` old servers keep the `(`
        // alone, so that `SLEEP 1.e(9)` is a call.
        if after_fraction && matches!(&token, Token::Word(word) if word.quote_style.is_none()) {
            return not_parsed(format!("a number runs into the word `{token}`"));
        }
        after_fraction = matches!(&token, Token::Number(digits, _) if digits.contains('.'));
        match token {
            Token::Whitespace(blank) => check_blank(&blank)?,
            token => significant.push(token),
        }
    }
    Ok(significant)
}

fn check_blank(blank: &Whitespace) -> Result<(), NotCacheable> {
    match blank {
        Whitespace::MultiLineComment(comment) if placeholder::is_executable(comment) => {
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

fn check_first_word(tokens: &[Token]) -> Result<(), NotCacheable> {
    let Some(first) = tokens.iter().find(|&token| *token != Token::LParen) else {
        return Err(NotCacheable::Empty);
    };
    let what = first.to_string();
    match keyword(Some(first)) {
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE => Ok(()),
        Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE | Keyword::REPLACE => Err(NotCacheable::Writes { what }),
        _ => Err(NotCacheable::NotASelect { what }),
    }
}

/// A token with its neighbours.
struct Place<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Place<'_> {
    fn before(&self, steps: usize) -> Option<&Token> {
        self.tokens.get(self.at.checked_sub(steps)?)
    }

    fn after(&self, steps: usize) -> Option<&Token> {
        self.tokens.get(self.at + steps)
    }

    fn is_before_paren(&self) -> bool {
        self.after(1) == Some(&Token::LParen)
    }

    /// Whether this names a CTE or a derived table, with the names of its columns in parentheses.
    fn names_columns(&self) -> bool {
        // After a `)` an operator would have to come before a call could.
        let is_alias = keyword(self.before(1)) == Keyword::AS || self.before(1) == Some(&Token::RParen);
        is_alias || self.is_cte()
    }

    /// `name (…) AS (`, which no call can be.
    fn is_cte(&self) -> bool {
        let names = self.tokens.iter().skip(self.at + 2);
        let mut rest = names.skip_while(|token| matches!(token, Token::Word(_) | Token::Comma));
        rest.next() == Some(&Token::RParen)
            && keyword(rest.next()) == Keyword::AS
            && rest.next() == Some(&Token::LParen)
    }
}

fn check_token(place: &Place<'_>) -> Result<(), NotCacheable> {
    let Some(token) = place.after(0) else {
        return Ok(());
    };
    match token {
        Token::Word(word) => check_word(word, place),
        // A name, where the server's mode is ANSI_QUOTES.
        Token::DoubleQuotedString(name) => check_call(name, place),
        Token::SemiColon => Err(NotCacheable::SeveralStatements),
        // A server reads a word and a string with escapes where the tokenizer reads one literal.
        Token::SingleQuotedByteStringLiteral(bits) if bits.contains(|bit| !"01".contains(bit)) => {
            not_parsed(format!("`{token}` is no bit literal"))
        }
        Token::HexStringLiteral(hex) if hex.contains(|digit: char| !digit.is_ascii_hexdigit()) => {
            not_parsed(format!("`{token}` is no hexadecimal literal"))
        }
        token if is_plain(token) => Ok(()),
        token if token.to_string().contains('@') => {
            Err(NotCacheable::DependsOnSession { what: format!("{token}{}", text(place.after(1))) })
        }
        token => not_parsed(format!("`{token}` isn't MySQL's")),
    }
}

fn check_word(word: &Word, place: &Place<'_>) -> Result<(), NotCacheable> {
    // After a `.` even a reserved word is a name.
    if place.before(1) == Some(&Token::Period) {
        return if place.is_before_paren() {
            let schema = text(place.before(2));
            Err(NotCacheable::StoredFunction { what: format!("{schema}.{}", word.value) })
        } else {
            Ok(())
        };
    }
    let with_next = || match place.after(1) {
        Some(Token::Word(next)) => format!("{word} {next}"),
        _ => word.to_string(),
    };
    match (keyword(place.after(0)), keyword(place.after(1))) {
        (Keyword::FOR, Keyword::UPDATE | Keyword::SHARE) | (Keyword::LOCK, _) => {
            Err(NotCacheable::Locks { what: with_next() })
        }
        (Keyword::UPDATE | Keyword::DELETE | Keyword::INTO, _) => Err(NotCacheable::Writes { what: with_next() }),
        // INSERT() and REPLACE() are string functions.
        (Keyword::INSERT | Keyword::REPLACE, _) if !place.is_before_paren() => {
            Err(NotCacheable::Writes { what: with_next() })
        }
        (Keyword::VALUE, Keyword::FOR) if is_word(place.before(1), &["NEXT", "PREVIOUS"]) => {
            let which = text(place.before(1));
            Err(NotCacheable::Writes { what: format!("{which} {}", with_next()) })
        }
        _ if is_word(place.after(0), &["CURRENT_USER", "CURRENT_ROLE", "SQL_CALC_FOUND_ROWS"]) => {
            Err(NotCacheable::DependsOnSession { what: word.to_string() })
        }
        _ => check_call(&word.value, place),
    }
}

fn check_call(name: &str, place: &Place<'_>) -> Result<(), NotCacheable> {
    if !place.is_before_paren() || place.names_columns() {
        return Ok(());
    }
    // No built-in function's name is written so.
    if !name.is_ascii() {
        return Err(NotCacheable::StoredFunction { what: name.into() });
    }
    functions::refusal(name).map_or(Ok(()), Err)
}

/// The tokens that mean nothing but themselves. A list of what is allowed: what the tokenizer takes
/// for an operator of another database is refused.
fn is_plain(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::Period
            | Token::LParen
            | Token::RParen
            | Token::LBrace
            | Token::RBrace
            | Token::Eq
            | Token::DoubleEq
            | Token::Neq
            | Token::Lt
            | Token::Gt
            | Token::LtEq
            | Token::GtEq
            | Token::Spaceship
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::Ampersand
            | Token::Pipe
            | Token::Caret
            | Token::Tilde
            | Token::DoubleTilde
            | Token::ShiftLeft
            | Token::ShiftRight
            | Token::Overlap
            | Token::ExclamationMark
            | Token::DoubleExclamationMark
            | Token::ExclamationMarkTilde
            | Token::Arrow
            | Token::LongArrow
    )
}

fn keyword(token: Option<&Token>) -> Keyword {
    match token {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// A name without its quotes, anything else as it is.
fn text(token: Option<&Token>) -> String {
    match token {
        Some(Token::Word(word)) => word.value.clone(),
        Some(token) => token.to_string(),
        None => String::new(),
    }
}

/// Whether `token` is one of `words`, without quotes.
fn is_word(token: Option<&Token>, words: &[&str]) -> bool {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => {
            words.iter().any(|wanted| word.value.eq_ignore_ascii_case(wanted))
        }
        _ => false,
    }
}

fn not_parsed<T>(why: impl Into<String>) -> Result<T, NotCacheable> {
    Err(NotCacheable::NotParsed { why: why.into() })
}
