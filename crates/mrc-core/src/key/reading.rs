//! The types of a key's params, where the key's text doesn't show them.
//!
//! `Code=0` is the key of the number and of the text, which SQL compares differently: `'00' = 0` is
//! true, `'00' = '0'` isn't. The peers have such keys, so the keys can't change. Instead each
//! spelling *reads as* one type: `0` as an integer, `true` as a bool, `1,2` as a list, `open` as a
//! text. The [mark](Mark) behind an entry's value names the types of other params.

use std::borrow::Cow;

use bytes::Bytes;

use super::ambiguity::Ambiguity;
use super::format::KeyFormat;
use crate::json::number;
use crate::param::Params;
use crate::value::Value;

/// White space behind an entry's value that names the types of params, where the key alone
/// misleads. `Code=0` reads as a number, so the entry of the text `"0"` has a mark.
///
/// A mark consists of tabs and carriage returns, which JSON parsers skip. It is empty if each param
/// has the type that it reads as: the peers' entries are read so. An entry with another mark
/// answers another question, since SQL compares by type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark(Vec<u8>);

impl Mark {
    /// Returns the value as it is stored: with this mark behind it.
    pub fn put_behind(&self, value: Bytes) -> Bytes {
        if self.0.is_empty() { value } else { [&*value, &self.0].concat().into() }
    }

    /// Returns a stored value without this mark. Returns `None` if the value has another mark.
    pub fn strip<'a>(&self, stored: &'a [u8]) -> Option<&'a [u8]> {
        let value = stored.strip_suffix(&*self.0)?;
        (!matches!(value.last(), Some(&(ZERO | ONE)))).then_some(value)
    }

    /// Returns the mark as text, empty if there is none.
    pub fn as_str(&self) -> &str {
        // The letters of a mark are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A type, as keys and databases see it. Its number is its code in stored marks: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Type {
    Null = 1,
    Bool = 2,
    /// Signed or unsigned: both are bound as the same type.
    Int = 3,
    Float = 4,
    /// `-0.0`, which JavaScript spells `0`.
    NegativeZero = 5,
    Decimal = 6,
    Text = 7,
    Bytes = 8,
    Date = 9,
    DateTime = 10,
    Time = 11,
    Json = 12,
    List = 13,
}

/// The number of bits of a type's code in a mark.
const BITS: u32 = 4;
/// The two letters of a mark. JSON parsers skip both, and the store's own marks use neither.
const ZERO: u8 = b'\t';
const ONE: u8 = b'\r';

/// The end of a date as JavaScript prints it where the process's time zone is UTC.
const UTC: &[u8] = b" GMT+0000 (Coordinated Universal Time)";

impl Type {
    fn of(value: &Value, format: KeyFormat) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::UInt(_) => Self::Int,
            Value::Float(float) if *float == 0.0 && float.is_sign_negative() => Self::NegativeZero,
            Value::Float(_) => Self::Float,
            Value::Decimal(_) => Self::Decimal,
            Value::Text(_) => Self::Text,
            Value::Bytes(_) => Self::Bytes,
            Value::Date(_) => Self::Date,
            Value::DateTime(_) => Self::DateTime,
            Value::Time(_) => Self::Time,
            Value::Json(_) => Self::Json,
            // One element in `IN (?)` equals the element alone, and JavaScript spells both alike.
            Value::List(values) => match values.as_slice() {
                [one] if format == KeyFormat::TypeScript => Self::of(one, format),
                _ => Self::List,
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "a bool",
            Self::Int => "an integer",
            Self::Float | Self::NegativeZero => "a float",
            Self::Decimal => "a decimal",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Date => "a date",
            Self::DateTime => "a datetime",
            Self::Time => "a time",
            Self::Json => "JSON",
            Self::List => "a list",
        }
    }

    /// Returns the type that a spelling reads as.
    fn read(spelled: &[u8], format: KeyFormat) -> Self {
        use KeyFormat::{Python, TypeScript};
        match (format, spelled) {
            (TypeScript, b"null") | (Python, b"None") => Self::Null,
            (TypeScript, b"true" | b"false") | (Python, b"True" | b"False") => Self::Bool,
            (TypeScript, _) if spelled.ends_with(UTC) => Self::DateTime,
            // An array prints no space after a comma; most texts with commas have one.
            (TypeScript, _) if spelled.contains(&b',') && !spelled.windows(2).any(|pair| pair == b", ") => Self::List,
            (Python, [b'[', .., b']']) => Self::List,
            (Python, [b'b', quote @ (b'\'' | b'"'), .., end]) if quote == end => Self::Bytes,
            (TypeScript, _) => number(spelled, number::ecmascript).unwrap_or(Self::Text),
            (Python, _) => number(spelled, number::python).unwrap_or(Self::Text),
        }
    }

    /// Returns the type that a list's element reads as. The list's spelling shows where it ends.
    fn read_element(element: &Value, format: KeyFormat) -> Self {
        match format {
            // `repr` quotes texts and names types. Times and JSON are bare: they read as text.
            KeyFormat::Python => match element {
                Value::Time(_) | Value::Json(_) => Self::Text,
                element => Self::of(element, format),
            },
            KeyFormat::TypeScript => match &*spelled(element, format) {
                // An array prints NULL as nothing.
                b"" => Self::Null,
                spelled => Self::read(spelled, format),
            },
        }
    }
}

/// Returns the type of a number that has this exact spelling. Returns `None` for other texts.
fn number(spelled: &[u8], print: fn(f64, &mut Vec<u8>)) -> Option<Type> {
    // The first byte rules out most texts.
    spelled.first().filter(|first| first.is_ascii_digit() || **first == b'-')?;
    let text = std::str::from_utf8(spelled).ok()?;
    let is_int = match text.strip_prefix('-') {
        Some(_) => text.parse::<i64>().is_ok_and(|int| int.to_string() == text),
        None => text.parse::<u64>().is_ok_and(|int| int.to_string() == text),
    };
    if is_int {
        return Some(Type::Int);
    }
    let mut printed = Vec::new();
    print(text.parse::<f64>().ok().filter(|float| float.is_finite())?, &mut printed);
    (printed == spelled).then_some(Type::Float)
}

fn spelled(value: &Value, format: KeyFormat) -> Cow<'_, [u8]> {
    match value {
        Value::Text(text) => Cow::Borrowed(text.as_bytes()),
        value => {
            let mut out = Vec::new();
            format.write(value, &mut out);
            Cow::Owned(out)
        }
    }
}

/// Returns whether a value of this type always reads as itself, whatever its spelling.
fn is_plain(value: &Value, format: KeyFormat) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) => true,
        Value::Float(_) | Value::Bytes(_) => format == KeyFormat::Python,
        _ => false,
    }
}

/// Returns the type of a param and the type that it reads as. Returns `None` if they are equal.
fn differing(value: &Value, format: KeyFormat) -> Option<(Type, Type)> {
    if is_plain(value, format) {
        return None;
    }
    Some((Type::of(value, format), Type::read(&spelled(value, format), format))).filter(|(own, read)| own != read)
}

fn differing_element(element: &Value, format: KeyFormat) -> Option<(Type, Type)> {
    Some((Type::of(element, format), Type::read_element(element, format))).filter(|(own, read)| own != read)
}

/// Returns a number for the types of these params. Two lists of params with one key have different
/// numbers if only one of them needs a mark: a list isn't its element here.
pub(super) fn types(params: &Params, format: KeyFormat) -> u64 {
    let bit = |value: &Value| 1_u64 << Type::of(value, format) as u8;
    let of = |value: &Value| match value {
        Value::List(values) => values.iter().map(bit).fold(1 << Type::List as u8, |all, one| all | one),
        value => bit(value),
    };
    // FNV-1a, by whole words.
    let mix = |hash: u64, types: u64| (hash ^ types).wrapping_mul(0x0100_0000_01b3);
    params.values().map(of).fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Returns the mark of these params, and the ambiguity of the first param that needs a mark.
pub(super) fn mark(params: &Params, format: KeyFormat) -> (Mark, Option<Ambiguity>) {
    if params.values().all(|value| is_plain(value, format)) {
        return (Mark::default(), None);
    }
    let (mut mark, mut first) = (Vec::new(), None);
    for param in params {
        let Some(name) = &param.name else { continue };
        let elements = match &param.value {
            Value::List(values) if Type::of(&param.value, format) == Type::List => values.as_slice(),
            _ => &[],
        };
        let whole = differing(&param.value, format);
        let of_elements = elements.iter().find_map(|element| differing_element(element, format));
        let Some((own, reads_as)) = whole.or(of_elements) else {
            mark.push(ZERO);
            continue;
        };
        let (type_name, reads_as) = (own.name(), reads_as.name());
        first.get_or_insert_with(|| Ambiguity::SpelledAs { name: name.to_string(), type_name, reads_as });
        write(Some(Type::of(&param.value, format)), &mut mark);
        for element in elements {
            write(differing_element(element, format).map(|(own, _)| own), &mut mark);
        }
    }
    // Trailing zeros carry no information.
    mark.truncate(mark.iter().rposition(|&letter| letter == ONE).map_or(0, |last| last + 1));
    (Mark(mark), first)
}

fn write(differs: Option<Type>, mark: &mut Vec<u8>) {
    let Some(own) = differs else {
        return mark.push(ZERO);
    };
    mark.push(ONE);
    mark.extend((0..BITS).map(|bit| if own as u8 >> bit & 1 == 1 { ONE } else { ZERO }));
}
