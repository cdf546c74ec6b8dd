//! Which names of a namespace an invalidation is about.

use std::fmt;

/// A pattern of names: `*` is any text, `?` any one byte, and `\` takes what follows literally. All else is itself.
///
/// As in Redis, but `[` must be escaped: there are no sets of bytes. A name is matched as a whole.
///
/// ```
/// use mrc_core::Glob;
///
/// let glob = Glob::new("profile*")?;
/// assert!(glob.matches(b"profile:42") && !glob.matches(b"my_profile"));
/// assert!(!Glob::beginning("user:*").matches(b"user:42"));
/// assert_eq!(Glob::literal("a*b").to_string(), r"a\*b");
/// # Ok::<(), mrc_core::GlobError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    tokens: Vec<Token>,
    prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Token {
    Byte(u8),
    AnyByte,
    AnyText,
}

/// The pattern can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobError {
    /// There is no pattern.
    #[error("the pattern is empty: give a name, or `*` for all names")]
    Empty,
    /// A `[` that isn't escaped.
    #[error(r"the pattern has a `[` at byte {at}, and sets are not supported: write `\[` for the bracket itself")]
    Bracket {
        /// Where, from 0.
        at: usize,
    },
    /// A `\` at the end.
    #[error(r"the pattern ends with a `\`, which escapes what follows: write `\\` for the backslash itself")]
    NothingEscaped,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`GlobError`]: it is empty, has a `[` that isn't escaped, or ends with a `\` that escapes nothing.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::Empty);
        }
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut bytes = pattern.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            tokens.push(match byte {
                b'*' => Token::AnyText,
                b'?' => Token::AnyByte,
                b'[' => return Err(GlobError::Bracket { at }),
                b'\\' => Token::Byte(bytes.next().ok_or(GlobError::NothingEscaped)?.1),
                byte => Token::Byte(byte),
            });
        }
        Ok(Self::of(tokens))
    }

    /// This name alone, whatever characters it has.
    pub fn literal(name: &str) -> Self {
        Self::of(name.bytes().map(Token::Byte).collect())
    }

    /// All names that begin with this text, whatever characters it has. With an empty one: all names.
    pub fn beginning(text: &str) -> Self {
        Self::of(text.bytes().map(Token::Byte).chain([Token::AnyText]).collect())
    }

    /// Whether a name is selected. In the worst case that takes a step for each byte of the name and each of the pattern.
    pub fn matches(&self, name: &[u8]) -> bool {
        let (mut at, mut token) = (0, 0);
        // The last `*` and where its text ends: where what follows it doesn't fit, it takes one byte more. Earlier ones never have to.
        let mut retry = None;
        while let Some(byte) = name.get(at) {
            match self.tokens.get(token) {
                Some(Token::AnyText) => {
                    token += 1;
                    retry = Some((token, at));
                    continue;
                }
                Some(Token::AnyByte) => {}
                Some(Token::Byte(expected)) if expected == byte => {}
                _ => {
                    let Some((after, end)) = &mut retry else { return false };
                    *end += 1;
                    (token, at) = (*after, *end);
                    continue;
                }
            }
            (token, at) = (token + 1, at + 1);
        }
        self.tokens.iter().skip(token).all(|token| *token == Token::AnyText)
    }

    /// What every selected name begins with: the text before the first wildcard. May be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn of(tokens: Vec<Token>) -> Self {
        let literal = |token: &Token| match token {
            Token::Byte(byte) => Some(*byte),
            _ => None,
        };
        let prefix: Vec<u8> = tokens.iter().map_while(literal).collect();
        // Whole characters: the wildcards stand between two of them.
        let prefix = String::from_utf8_lossy(&prefix).into_owned();
        Self { tokens, prefix }
    }
}

impl fmt::Display for Glob {
    /// The pattern, as [`new`](Self::new) reads it, and Redis too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            match token {
                Token::Byte(byte) => {
                    if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
                        text.push(b'\\');
                    }
                    text.push(*byte);
                }
                Token::AnyByte => text.push(b'?'),
                Token::AnyText => text.push(b'*'),
            }
        }
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let glob = Glob::new(pattern).unwrap();
        for name in yes {
            assert!(glob.matches(name.as_bytes()), "{pattern} on {name}");
        }
        for name in no {
            assert!(!glob.matches(name.as_bytes()), "{pattern} on {name}");
        }
    }

    #[test]
    fn wildcards_and_escapes() {
        check("a", &["a"], &["", "aa", "b"]);
        check("*", &["", "a", "a*b"], &[]);
        check("a*", &["a", "abc"], &["", "ba"]);
        check("*a", &["a", "ba", "aba"], &["ab"]);
        check("a*b*c", &["abc", "a1b2c", "abcbc"], &["ab", "acb", "abcd"]);
        check("a?c", &["abc", "a?c"], &["ac", "abbc"]);
        check("a**", &["a", "ab"], &["b"]);
        check("?*", &["a", "ab"], &[""]);
        check(r"a\*", &["a*"], &["ab", r"a\*"]);
        check(r"a\?\[\\\]", &[r"a?[\]"], &[]);
        check(r"\a", &["a"], &[r"\a"]);
        check("é]{*", &["é]{x"], &["e]{x"]);
    }

    #[test]
    fn a_question_mark_is_one_byte() {
        check("??", &["é"], &["éa"]);
        assert!(Glob::new("?").unwrap().matches(b"\xff"));
    }

    #[test]
    fn the_prefix_ends_at_the_first_wildcard() {
        let check = |glob: Result<Glob, GlobError>, prefix: &str| assert_eq!(glob.unwrap().prefix(), prefix);
        check(Glob::new("user:*:x"), "user:");
        check(Glob::new("us?r"), "us");
        check(Glob::new(r"é\*\\*"), r"é*\");
        check(Glob::new("*x"), "");
        check(Glob::new("user"), "user");
        check(Ok(Glob::literal("a*b")), "a*b");
        check(Ok(Glob::beginning("a?b")), "a?b");
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        assert_eq!(Glob::new(""), Err(GlobError::Empty));
        assert_eq!(Glob::new("a[bc]"), Err(GlobError::Bracket { at: 1 }));
        assert_eq!(Glob::new(r"a\\\"), Err(GlobError::NothingEscaped));
    }

    #[test]
    fn many_wildcards_take_no_more_than_the_product() {
        let (pattern, name) = ("a*".repeat(200) + "b", "a".repeat(20_000));
        assert!(!Glob::new(&pattern).unwrap().matches(name.as_bytes()));
    }

    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|end| naive(rest, &name[end..])),
            ([b'?', rest @ ..], [_, tail @ ..]) => naive(rest, tail),
            ([b'\\', byte, rest @ ..] | [byte, rest @ ..], [first, tail @ ..]) => byte == first && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matches_as_the_naive_matcher_does(pattern in r"([ab*?]|\\[ab*?\\\[]){1,8}", names in prop::collection::vec(r"[ab*\\\[]{0,9}", 20)) {
            let glob = Glob::new(&pattern).unwrap();
            for name in names {
                prop_assert_eq!(glob.matches(name.as_bytes()), naive(pattern.as_bytes(), name.as_bytes()), "{}", name);
            }
        }

        #[test]
        fn what_is_displayed_is_read_again(pattern in r"([aé*?]|\\[aé*?\\\[]){1,8}") {
            let glob = Glob::new(&pattern).unwrap();
            prop_assert_eq!(Glob::new(&glob.to_string()).unwrap(), glob);
        }

        #[test]
        fn names_are_literal(name in r"[ab*?\\\[\]]{1,6}", other in r"[ab*?\\\[\]]{0,9}") {
            let (literal, beginning) = (Glob::literal(&name), Glob::beginning(&name));
            prop_assert!(literal.matches(name.as_bytes()));
            prop_assert!(beginning.matches((name.clone() + &other).as_bytes()));
            prop_assert_eq!(literal.matches(other.as_bytes()), name == other);
            prop_assert_eq!(beginning.matches(other.as_bytes()), other.starts_with(&name));
            prop_assert_eq!(Glob::new(&literal.to_string()), Ok(literal));
        }
    }
}
