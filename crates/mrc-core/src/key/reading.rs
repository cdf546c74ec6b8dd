//! The types of a key's params, where the key's text doesn't show them.
//!
//! `Code=0` is the key of the number and of the text, and to SQL they are two questions: `'00' = 0` is true, `'00' = '0'` isn't.
//! The peers make such keys, so the keys can't change. Instead each spelling *reads as* one type: `0` as an integer, `true` as a
//! bool, `1,2` as a list, `open` as a text. A param of another type is named in the [mark](Mark), which an entry carries
//! behind its value.

use std::borrow::Cow;

use bytes::Bytes;

use super::ambiguity::Ambiguity;
use super::format::KeyFormat;
use crate::json::number;
use crate::param::Params;
use crate::value::Value;

/// White space behind the value of an entry that names the types of its params, where the key alone would be read as having others:
/// `Code=0` reads as a number, so the entry of the text `"0"` has a mark.
///
/// A mark consists of tabs and carriage returns, and JSON parsers skip it. It is empty where every param has the type that it reads as,
/// which is how the peers' entries are read. An entry with another mark answers another question, since SQL compares by type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark(Vec<u8>);

impl Mark {
    /// Returns the value as it is stored: with this mark behind it.
    pub fn put_behind(&self, value: Bytes) -> Bytes {
        if self.0.is_empty() { value } else { [&*value, &self.0].concat().into() }
    }

    /// Returns a stored value without this mark. Returns `None` if its mark is another one.
    pub fn strip<'a>(&self, stored: &'a [u8]) -> Option<&'a [u8]> {
        let value = stored.strip_suffix(&*self.0)?;
        (!matches!(value.last(), Some(&(ZERO | ONE)))).then_some(value)
    }

    /// Returns the mark as text, empty if there is none.
    pub fn as_str(&self) -> &str {
        // Its letters are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A type, as far as a key and a database tell types apart. Its number is its code in a mark, so numbers are never given anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Type {
    Null = 1,
    Bool = 2,
    /// Signed or not: both are bound as the same type.
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

/// How many bits a code has in a mark.
const BITS: u32 = 4;
/// The two letters of a mark: white space to every JSON parser, and no mark of the store's.
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
            // `IN (?)` with one element is the same statement as with the element alone, and JavaScript spells both alike.
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

    /// The type that a spelling reads as.
    fn read(spelled: &[u8], format: KeyFormat) -> Self {
        match format {
            KeyFormat::TypeScript => Self::read_typescript(spelled),
            KeyFormat::Python => Self::read_python(spelled),
        }
    }

    fn read_typescript(spelled: &[u8]) -> Self {
        match spelled {
            b"null" => Self::Null,
            b"true" | b"false" => Self::Bool,
            _ if spelled.ends_with(UTC) => Self::DateTime,
            // An array prints its elements without spaces between them, and most texts with commas have spaces.
            _ if spelled.contains(&b',') && !spelled.windows(2).any(|pair| pair == b", ") => Self::List,
            _ => number(spelled, number::ecmascript).unwrap_or(Self::Text),
        }
    }

    fn read_python(spelled: &[u8]) -> Self {
        match spelled {
            b"None" => Self::Null,
            b"True" | b"False" => Self::Bool,
            [b'[', .., b']'] => Self::List,
            [b'b', quote @ (b'\'' | b'"'), .., end] if quote == end => Self::Bytes,
            _ => number(spelled, number::python).unwrap_or(Self::Text),
        }
    }

    /// The type that an element of a list reads as. The list's spelling shows where it begins and ends.
    fn read_element(element: &Value, format: KeyFormat) -> Self {
        match format {
            // Python's `repr` quotes texts and names types. A time and JSON have no word there: they read as what they look like.
            KeyFormat::Python => match element {
                Value::Time(_) | Value::Json(_) => Self::Text,
                element => Self::of(element, format),
            },
            KeyFormat::TypeScript => match &*spelled(element, format) {
                // An array prints NULL as nothing.
                b"" => Self::Null,
                spelled => Self::read_typescript(spelled),
            },
        }
    }
}

/// The type of a number that is spelled in this way and in no other.
fn number(spelled: &[u8], print: fn(f64, &mut Vec<u8>)) -> Option<Type> {
    // Most texts are no numbers, and the first byte says so.
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

/// Whether a value of this type always reads as itself: no need to look at its spelling.
fn is_plain(value: &Value, format: KeyFormat) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) => true,
        Value::Float(_) | Value::Bytes(_) => format == KeyFormat::Python,
        _ => false,
    }
}

/// Returns the type of a param and the one that it reads as. Returns `None` if they are one.
fn differing(value: &Value, format: KeyFormat) -> Option<(Type, Type)> {
    if is_plain(value, format) {
        return None;
    }
    let (own, reads_as) = (Type::of(value, format), Type::read(&spelled(value, format), format));
    (own != reads_as).then_some((own, reads_as))
}

fn differing_element(element: &Value, format: KeyFormat) -> Option<(Type, Type)> {
    let (own, reads_as) = (Type::of(element, format), Type::read_element(element, format));
    (own != reads_as).then_some((own, reads_as))
}

/// A number for the types of these params. Two lists of params with one key, of which one needs no mark and the other does, have two
/// numbers: a list isn't its element here.
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

/// The mark of these params, and the first that needs one.
pub(super) fn mark(params: &Params, format: KeyFormat) -> (Mark, Option<Ambiguity>) {
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
        first.get_or_insert_with(|| Ambiguity::SpelledAs {
            name: name.clone().into_owned(),
            type_name: own.name(),
            reads_as: reads_as.name(),
        });
        write(Some(Type::of(&param.value, format)), &mut mark);
        for element in elements {
            write(differing_element(element, format).map(|(own, _)| own), &mut mark);
        }
    }
    // Zeros at the end say nothing.
    mark.truncate(mark.iter().rposition(|&letter| letter == ONE).map_or(0, |last| last + 1));
    (Mark(mark), first)
}

fn write(differs: Option<Type>, mark: &mut Vec<u8>) {
    let Some(own) = differs else {
        mark.push(ZERO);
        return;
    };
    mark.push(ONE);
    mark.extend((0..BITS).map(|bit| if own as u8 >> bit & 1 == 1 { ONE } else { ZERO }));
}
