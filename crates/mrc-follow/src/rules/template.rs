//! Templates: texts with columns in braces.

use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

/// A text with columns: `order:{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Column(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("it is empty: write a text with columns, such as \"order:{{id}}\"")]
    Empty,
    #[error("a `{{` isn't closed: write `{{column}}`, or `{{{{` for a brace")]
    Open,
    #[error("a `}}` has no `{{` before it: write `{{column}}`, or `}}}}` for a brace")]
    Closed,
    #[error("braces without a column: write `{{column}}`, or `{{{{` and `}}}}` for braces")]
    NoColumn,
}

impl Template {
    /// Returns the names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Column(column) => Some(column.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Returns the length of the text without the columns, in bytes.
    pub(super) fn fixed_len(&self) -> usize {
        let length = |part: &Part| if let Part::Text(text) = part { text.len() } else { 0 };
        self.0.iter().map(length).sum()
    }

    /// Returns the text if there are no columns.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(template: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut text) = (Vec::new(), String::new());
        let mut chars = template.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '{' | '}' if chars.next_if_eq(&char).is_some() => text.push(char),
                '{' => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(Part::Column(column(&mut chars)?));
                }
                '}' => return Err(TemplateError::Closed),
                _ => text.push(char),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if parts.is_empty() { Err(TemplateError::Empty) } else { Ok(Self(parts)) }
    }
}

fn column(chars: &mut Peekable<Chars<'_>>) -> Result<String, TemplateError> {
    let mut name = String::new();
    loop {
        match chars.next() {
            Some('}') if name.trim().is_empty() => return Err(TemplateError::NoColumn),
            Some('}') => return Ok(name),
            Some('{') | None => return Err(TemplateError::Open),
            Some(char) => name.push(char),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Column(column) => write!(f, "{{{column}}}"),
        })
    }
}
