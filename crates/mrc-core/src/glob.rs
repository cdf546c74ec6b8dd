//! Patterns that select the names of a namespace for an invalidation.

use std::fmt;
use std::hash::{Hash, Hasher};

pub(crate) use regex::bytes::Regex;

/// A pattern of names: `*` is any text, `?` is any byte, `\` makes the next character literal.
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
#[derive(Debug, Clone)]
pub struct Glob {
    /// The pattern, with a backslash before every literal special character, and no other one.
    pattern: String,
    prefix: String,
    rest: Rest,
}

/// The part of a name behind the prefix.
#[derive(Debug, Clone)]
enum Rest {
    Nothing,
    Anything,
    Matching(Regex),
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
        /// The byte offset, from 0.
        at: usize,
    },
    /// A `\` at the end.
    #[error(r"the pattern ends with a `\`, which escapes what follows: write `\\` for the backslash itself")]
    NothingEscaped,
    /// A pattern of more than about 300,000 bytes.
    #[error("the pattern has {bytes} bytes, which is too long")]
    TooLong {
        /// The length of the pattern, in bytes.
        bytes: usize,
    },
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`GlobError`] when the pattern is empty, too long, has a bare `[` or ends with a bare `\`.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::Empty);
        }
        let (mut prefix, mut shown, mut rest) = (String::new(), String::new(), String::new());
        let mut chars = pattern.char_indices();
        while let Some((at, char)) = chars.next() {
            let literal = match char {
                '*' | '?' => {
                    shown.push(char);
                    rest.push_str(if char == '*' { ".*" } else { "." });
                    continue;
                }
                '[' => return Err(GlobError::Bracket { at }),
                '\\' => chars.next().ok_or(GlobError::NothingEscaped)?.1,
                char => char,
            };
            push_escaped(literal, &mut shown);
            if rest.is_empty() {
                prefix.push(literal);
            } else {
                rest.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
            }
        }
        let rest = match rest.as_str() {
            "" => Rest::Nothing,
            ".*" => Rest::Anything,
            rest => Rest::Matching(regex(rest).map_err(|_| GlobError::TooLong { bytes: pattern.len() })?),
        };
        Ok(Self { pattern: shown, prefix, rest })
    }

    /// Returns the pattern of this name alone, whatever characters it has.
    pub fn literal(name: &str) -> Self {
        Self { pattern: escaped(name), prefix: name.to_owned(), rest: Rest::Nothing }
    }

    /// Returns the pattern of all names that begin with this text. An empty text selects all names.
    pub fn beginning(text: &str) -> Self {
        Self { pattern: escaped(text) + "*", prefix: text.to_owned(), rest: Rest::Anything }
    }

    /// Returns whether a name is selected. At worst, the cost is its length times the pattern's.
    pub fn matches(&self, name: &[u8]) -> bool {
        // Most names of a scan differ in the prefix, and a comparison costs less than a search.
        let Some(rest) = name.strip_prefix(self.prefix.as_bytes()) else { return false };
        match &self.rest {
            Rest::Nothing => rest.is_empty(),
            Rest::Anything => true,
            Rest::Matching(regex) => regex.is_match(rest),
        }
    }

    /// Returns the text before the first wildcard: all selected names begin with it. May be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for Glob {}

impl Hash for Glob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
    }
}

impl fmt::Display for Glob {
    /// Writes the pattern, as [`new`](Self::new) and Redis read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    text.chars().for_each(|char| push_escaped(char, &mut escaped));
    escaped
}

fn push_escaped(char: char, out: &mut String) {
    if matches!(char, '*' | '?' | '[' | '\\') {
        out.push('\\');
    }
    out.push(char);
}

/// The memory limit of one regex, in bytes. A literal byte takes about 24, a wildcard 100.
const SIZE_LIMIT: usize = 32 << 20;

/// Compiles a regex over bytes that matches a whole text, in linear time. Its `.` is any byte, and
/// each literal is its UTF-8.
pub(crate) fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
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
    fn texts_that_are_no_pattern_are_refused() {
        assert_eq!(Glob::new(""), Err(GlobError::Empty));
        assert_eq!(Glob::new("a[bc]"), Err(GlobError::Bracket { at: 1 }));
        assert_eq!(Glob::new(r"a\\\"), Err(GlobError::NothingEscaped));
    }

    #[test]
    fn many_wildcards_take_no_more_than_the_product() {
        let (pattern, name) = ("a*".repeat(200) + "b", "a".repeat(20_000));
        assert!(!Glob::new(&pattern).unwrap().matches(name.as_bytes()));
    }

    #[test]
    fn a_pattern_that_is_too_long_is_refused() {
        let pattern = "*?".repeat(250_000);
        assert_eq!(Glob::new(&pattern), Err(GlobError::TooLong { bytes: pattern.len() }));
        assert!(Glob::new(&"?*".repeat(10_000)).unwrap().matches(&[b'\xff'; 10_000]));
        assert!(Glob::literal(&"x".repeat(8_000_000)).matches(&[b'x'; 8_000_000]));
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
        fn matches_as_the_naive_matcher_does(pattern in r"([ab.é\n*?]|\\[ab*?\\\[]){1,8}", names in prop::collection::vec(r"[ab.é\n*\\\[]{0,9}", 20)) {
            let glob = Glob::new(&pattern).unwrap();
            for name in names.iter().flat_map(|name| [name.clone().into_bytes(), [b"\xff", name.as_bytes()].concat()]) {
                prop_assert_eq!(glob.matches(&name), naive(pattern.as_bytes(), &name), "{:?}", name);
            }
        }

        #[test]
        fn a_displayed_pattern_parses_to_itself(pattern in r"([aé*?]|\\[aé*?\\\[]){1,8}") {
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
