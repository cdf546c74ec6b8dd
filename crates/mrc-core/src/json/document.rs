//! A JSON document from a column, checked and rewritten in one pass.

use super::{escape, member_order, number, unicode_escape};

/// The spelling of a rewritten document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Only white space is removed; numbers, escapes, order and repeated names stay.
    Kept,
    /// As `JSON.stringify(JSON.parse(text))`: doubles, ordered names, the last of a repeated name.
    JavaScript,
}

/// The text is not a JSON document, or nests deeper than [`DEPTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

type Rewritten = Result<(), NotJson>;

/// The most levels of a document. MySQL stops at 100 levels, MariaDB's functions at 32.
const DEPTH: u32 = 256;

/// Appends the document. After an error, the buffer is as before.
pub(crate) fn rewrite(text: &str, spelling: Spelling, out: &mut Vec<u8>) -> Result<(), NotJson> {
    let start = out.len();
    let mut reader = DocumentReader { rest: text.as_bytes(), depth: 0, spelling };
    let result = reader.value(out).and_then(|()| reader.end());
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct DocumentReader<'a> {
    rest: &'a [u8],
    depth: u32,
    spelling: Spelling,
}

/// The place of a member in the output: the inside of its name, and the end of its value.
struct ObjectMember {
    name: std::ops::Range<usize>,
    end: usize,
}

impl<'a> DocumentReader<'a> {
    fn value(&mut self, out: &mut Vec<u8>) -> Rewritten {
        self.space();
        match self.rest.first() {
            Some(b'{') => self.nested(out, Self::object),
            Some(b'[') => self.nested(out, Self::array),
            Some(b'"') => self.string(out),
            Some(b't') => self.word(b"true", out),
            Some(b'f') => self.word(b"false", out),
            Some(b'n') => self.word(b"null", out),
            _ => self.number(out),
        }
    }

    fn end(&mut self) -> Rewritten {
        self.space();
        if self.rest.is_empty() { Ok(()) } else { Err(NotJson) }
    }

    fn nested(&mut self, out: &mut Vec<u8>, inside: fn(&mut Self, &mut Vec<u8>) -> Rewritten) -> Rewritten {
        if self.depth == DEPTH {
            return Err(NotJson);
        }
        self.depth += 1;
        inside(self, out)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self, out: &mut Vec<u8>) -> Rewritten {
        self.mark(b'[', out)?;
        if self.is_next(b']') {
            return self.mark(b']', out);
        }
        loop {
            self.value(out)?;
            if !self.is_next(b',') {
                return self.mark(b']', out);
            }
            self.mark(b',', out)?;
        }
    }

    fn object(&mut self, out: &mut Vec<u8>) -> Rewritten {
        self.mark(b'{', out)?;
        if self.is_next(b'}') {
            return self.mark(b'}', out);
        }
        let start = out.len();
        let mut members = Vec::new();
        loop {
            self.space();
            let name = out.len() + 1;
            self.string(out)?;
            let name = name..out.len() - 1;
            self.mark(b':', out)?;
            self.value(out)?;
            if self.spelling == Spelling::JavaScript {
                members.push(ObjectMember { name, end: out.len() });
            }
            if !self.is_next(b',') {
                break;
            }
            self.mark(b',', out)?;
        }
        reorder(&members, start, out);
        self.mark(b'}', out)
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Rewritten {
        self.mark(b'"', out)?;
        loop {
            let run = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).ok_or(NotJson)?;
            out.extend_from_slice(self.take(run)?);
            match self.rest.first() {
                Some(b'"') => return self.mark(b'"', out),
                Some(b'\\') => self.escaped(out)?,
                _ => return Err(NotJson),
            }
        }
    }

    /// Rewrites an escape, of two bytes or of six.
    fn escaped(&mut self, out: &mut Vec<u8>) -> Rewritten {
        let kept = self.spelling == Spelling::Kept;
        match self.rest.get(1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => out.extend_from_slice(self.take(2)?),
            Some(b'/') if kept => out.extend_from_slice(self.take(2)?),
            Some(b'/') => out.extend_from_slice(self.take(2)?.get(1..).unwrap_or_default()),
            Some(b'u') if kept => {
                self.unit().ok_or(NotJson)?;
                out.extend_from_slice(self.take(6)?);
            }
            Some(b'u') => self.unescape(out)?,
            _ => return Err(NotJson),
        }
        Ok(())
    }

    /// Writes the character of one or two `\u` escapes. Half a surrogate pair stays an escape.
    fn unescape(&mut self, out: &mut Vec<u8>) -> Rewritten {
        let unit = self.unit().ok_or(NotJson)?;
        self.take(6)?;
        let pair = match unit {
            0xd800..=0xdbff => self.unit().filter(|low| (0xdc00..=0xdfff).contains(low)),
            _ => None,
        };
        let units = [unit, pair.unwrap_or_default()];
        let count = if pair.is_some() { 2 } else { 1 };
        match char::decode_utf16(units.into_iter().take(count)).next() {
            Some(Ok(character)) => escape(character.encode_utf8(&mut [0; 4]).as_bytes(), out),
            _ => unicode_escape(unit, out),
        }
        if pair.is_some() {
            self.take(6)?;
        }
        Ok(())
    }

    /// Returns the code unit of the next `\uXXXX`, and doesn't consume it.
    fn unit(&self) -> Option<u16> {
        let hex = self.rest.strip_prefix(b"\\u")?.get(..4)?;
        hex.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Rewritten {
        let text = self.take(number_length(self.rest).ok_or(NotJson)?)?;
        if self.spelling == Spelling::Kept {
            out.extend_from_slice(text);
            return Ok(());
        }
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(NotJson)?;
        number::ecmascript(value, out);
        Ok(())
    }

    fn word(&mut self, word: &[u8], out: &mut Vec<u8>) -> Rewritten {
        self.rest = self.rest.strip_prefix(word).ok_or(NotJson)?;
        out.extend_from_slice(word);
        Ok(())
    }

    /// Consumes the mark, which must come next, and writes it.
    fn mark(&mut self, mark: u8, out: &mut Vec<u8>) -> Rewritten {
        if !self.is_next(mark) {
            return Err(NotJson);
        }
        self.take(1)?;
        out.push(mark);
        Ok(())
    }

    /// Returns whether the mark comes next, after white space.
    fn is_next(&mut self, mark: u8) -> bool {
        self.space();
        self.rest.first() == Some(&mark)
    }

    fn space(&mut self) {
        while let Some((b' ' | b'\t' | b'\n' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NotJson> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NotJson)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Brings the members from `start` on into JavaScript's order.
fn reorder(members: &[ObjectMember], start: usize, out: &mut Vec<u8>) {
    let names: Vec<&[u8]> = members.iter().filter_map(|member| out.get(member.name.clone())).collect();
    let Some(order) = member_order(&names, true) else { return };
    let mut body = Vec::with_capacity(out.len() - start);
    for member in order.iter().filter_map(|at| members.get(*at)) {
        if !body.is_empty() {
            body.push(b',');
        }
        body.extend_from_slice(out.get(member.name.start - 1..member.end).unwrap_or_default());
    }
    out.truncate(start);
    out.append(&mut body);
}

/// Returns the length of the number at the front, in bytes.
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match (text.get(at), digits(at)) {
        (_, 0) => return None,
        (Some(b'0'), _) => 1,
        (_, count) => count,
    };
    if text.get(at) == Some(&b'.') {
        at += 1 + Some(digits(at + 1)).filter(|count| *count > 0)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at += Some(digits(at)).filter(|count| *count > 0)?;
    }
    Some(at)
}
