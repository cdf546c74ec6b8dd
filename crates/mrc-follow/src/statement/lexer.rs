//! The tokens of a statement, for names and first words only.
//!
//! A run of letters, digits, `_`, `$` and bytes above 127 is a word, whatever it is to the server:
//! a name such as `2024_sales` is never split, and a number that counts as a name does no harm.

use std::borrow::Cow;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, a name without quotes, or a number.
    Word(&'a str),
    /// A name in quotes.
    Quoted(Cow<'a, str>),
    /// The inside of a text, with its escapes.
    Text(&'a [u8]),
    /// Any other character.
    Symbol(u8),
}

/// The settings of a server by which texts split into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    /// Whether a backslash escapes within a text: not with `NO_BACKSLASH_ESCAPES`.
    escapes: bool,
    /// Whether `"` quotes a name: with `ANSI_QUOTES`.
    names: bool,
    /// Whether the server runs the executable comments.
    runs: bool,
}

impl Mode {
    /// Returns the modes in which the text may split differently.
    pub(super) fn all_for(text: &[u8]) -> Vec<Self> {
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let mut modes = vec![Self { escapes: true, names: false, runs: true }];
        let mut also = |is_there: bool, change: fn(Self) -> Self| {
            if is_there {
                modes.extend(modes.clone().into_iter().map(change));
            }
        };
        also(has(b"\\"), |mode| Self { escapes: false, ..mode });
        also(has(b"\""), |mode| Self { names: true, ..mode });
        also(has(b"/*!") || has(b"/*M!"), |mode| Self { runs: false, ..mode });
        modes
    }
}

/// Reads tokens. Ends early, and [is broken](Self::is_broken), where a quote or a comment has no end
/// or a name isn't UTF-8.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
    mode: Mode,
    broken: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], mode: Mode) -> Self {
        Self { rest: text, mode, broken: false }
    }

    /// Returns whether a part of the text can't be read.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Returns the next bytes, and passes over them.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) -> Option<()> {
        loop {
            match self.rest {
                [0..=b' ', ..] => drop(self.take(1)),
                [b'#', ..] | [b'-', b'-', 0..=b' ', ..] => {
                    let end = self.rest.iter().position(|byte| *byte == b'\n');
                    self.take(end.unwrap_or(self.rest.len()));
                }
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] if self.mode.runs => {
                    self.take(if self.rest.starts_with(b"/*M") { 4 } else { 3 });
                    let version = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    // MySQL's and MariaDB's versions have 5 or 6 digits. Another number is a name.
                    if matches!(version, 5 | 6) {
                        self.take(version);
                    }
                }
                // The end of an executable comment.
                [b'*', b'/', ..] if self.mode.runs => drop(self.take(2)),
                [b'/', b'*', rest @ ..] => {
                    let end = rest.windows(2).position(|pair| pair == b"*/")?;
                    self.take(end.saturating_add(4));
                }
                _ => return Some(()),
            }
        }
    }

    /// Reads up to the closing quote. Returns the inside.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Option<&'a [u8]> {
        let inside = self.rest.get(1..)?;
        let mut bytes = inside.iter().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            if *byte == b'\\' && escapes {
                bytes.next();
            } else if *byte == quote && bytes.next_if(|(_, next)| **next == quote).is_none() {
                self.take(at.saturating_add(2));
                return inside.get(..at);
            }
        }
        None
    }

    fn read(&mut self) -> Option<Token<'a>> {
        Some(match *self.rest.first()? {
            byte if is_word(byte) => {
                let length = self.rest.iter().take_while(|byte| is_word(**byte)).count();
                Token::Word(std::str::from_utf8(self.take(length)).ok()?)
            }
            quote if quote == b'`' || quote == b'"' && self.mode.names => {
                let name = std::str::from_utf8(self.quoted(quote, false)?).ok()?;
                let (one, two) = if quote == b'`' { ("`", "``") } else { ("\"", "\"\"") };
                Token::Quoted(if name.contains(two) { name.replace(two, one).into() } else { name.into() })
            }
            quote @ (b'\'' | b'"') => Token::Text(self.quoted(quote, self.mode.escapes)?),
            symbol => {
                self.take(1);
                Token::Symbol(symbol)
            }
        })
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.broken {
            return None;
        }
        let begins = self.skip().is_some();
        if begins && self.rest.is_empty() {
            return None;
        }
        let token = if begins { self.read() } else { None };
        self.broken = token.is_none();
        token
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 128..)
}
