//! A rule, as a user writes it, and as it is after the checks.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};
use std::sync::Arc;

use mrc_core::Tag;
use serde::{Deserialize, Deserializer};

/// The tags and params that a change of one table invalidates.
///
/// In templates, `{column}` stands for the value of a column, and `{{` for a brace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a rule does nothing until it is one of some Rules"]
pub struct Rule {
    pub(super) table: String,
    all: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "pairs")]
    params: Vec<(String, String)>,
    columns: Option<Vec<String>>,
    #[serde(default = "Rule::max_tags_default")]
    max_tags: usize,
}

fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
}

/// A rule that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule of table {table:?}, key `{key}`: {why}")]
#[non_exhaustive]
pub struct RuleError {
    /// The table, as the rule has it.
    pub table: String,
    /// The key in TOML, which is also the setter's name.
    pub key: &'static str,
    /// The problem, and its fix.
    pub why: String,
}

impl Rule {
    /// Returns a rule for a table: `shop.orders`.
    pub fn table(name: impl Into<String>) -> Self {
        let max_tags = Self::max_tags_default();
        Self { table: name.into(), all: None, tags: Vec::new(), params: Vec::new(), columns: None, max_tags }
    }

    /// Returns the rule of an outbox: a table whose column `tag` has the tags to invalidate, for
    /// what rows of other tables don't tell. `MrcClientBuilder::outbox` writes it.
    pub fn outbox(table: impl Into<String>) -> Self {
        Self::table(table).all("mrc_outbox").tag("{tag}")
    }

    /// Sets the tag of all entries that read the table. It is invalidated if the rows don't tell
    /// which entries changed, and at each change if the rule has neither tags nor params.
    ///
    /// Default: none. A rule with tags needs it.
    pub fn all(self, tag: impl Into<String>) -> Self {
        Self { all: Some(tag.into()), ..self }
    }

    /// Adds the template of a tag: `order:{id}`. Default: none.
    pub fn tag(mut self, template: impl Into<String>) -> Self {
        self.tags.push(template.into());
        self
    }

    /// Adds the template of a param: entries with this param are dropped. Default: none.
    pub fn param(mut self, name: impl Into<String>, template: impl Into<String>) -> Self {
        self.params.push((name.into(), template.into()));
        self
    }

    /// Ignores updates that change none of these columns and no column of a template. Inserts and
    /// deletes always count. Default: every update counts.
    pub fn columns<T: Into<String>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        Self { columns: Some(columns.into_iter().map(Into::into).collect()), ..self }
    }

    /// Sets how many different tags and params one transaction may have by this rule. With more,
    /// everything of the table is invalidated instead. Default: 10,000.
    pub fn max_tags(self, max_tags: usize) -> Self {
        Self { max_tags, ..self }
    }

    fn max_tags_default() -> usize {
        10_000
    }

    /// Checks everything that needs no database.
    pub(super) fn check(&self) -> Result<Checked, RuleError> {
        let wrong = |key, why: String| RuleError { table: self.table.clone(), key, why };
        let template = |key, text: &String| -> Result<Template, RuleError> {
            let template: Template = text.parse().map_err(|error| wrong(key, format!("{text:?}: {error}")))?;
            if template.fixed_len() > Tag::LONGEST {
                return Err(wrong(key, format!("a tag may have {} bytes: shorten {text:?}", Tag::LONGEST)));
            }
            Ok(template)
        };
        let table = TableName::parse(&self.table)
            .ok_or_else(|| wrong("table", "write the database and the table: \"shop.orders\"".into()))?;
        let all = self.all.as_ref().map(|text| match template("all", text)?.0.as_slice() {
            [Part::Text(text)] => Ok(Tag::new(text.as_str())),
            _ => {
                let why = format!("{text:?} has a column: write the one tag of all entries that read the table");
                Err(wrong("all", why))
            }
        });
        let all = all.transpose()?;
        if all.is_none() && (!self.tags.is_empty() || self.params.is_empty()) {
            return Err(wrong("all", "it is missing: write the tag of all entries that read the table".into()));
        }
        let mut names = HashSet::new();
        for (name, _) in &self.params {
            if name.is_empty() || name.contains('=') {
                return Err(wrong("params", format!("{name:?} can't be a name in a key: write a name without `=`")));
            }
            if !names.insert(name) {
                return Err(wrong("params", format!("{name:?} is there twice: remove one, or write a second rule")));
            }
        }
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(wrong("columns", "it is empty: name a column, or leave it out".into()));
        }
        if self.max_tags == 0 {
            return Err(wrong("max_tags", "it must be at least 1: for `all` only, leave out tags and params".into()));
        }
        let tags = self.tags.iter().map(|text| template("tags", text)).collect::<Result<_, _>>()?;
        let params = self.params.iter().map(|(name, text)| Ok((name.as_str().into(), template("params", text)?)));
        let params = params.collect::<Result<_, _>>()?;
        Ok(Checked { table, all, tags, params, columns: self.columns.clone(), max_tags: self.max_tags })
    }
}

/// A rule whose texts are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) table: TableName,
    pub(super) all: Option<Tag>,
    pub(super) tags: Vec<Template>,
    pub(super) params: Vec<(Arc<str>, Template)>,
    pub(super) columns: Option<Vec<String>>,
    pub(super) max_tags: usize,
}

impl Checked {
    pub(super) fn template_columns(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().chain(self.params.iter().map(|(_, template)| template)).flat_map(Template::columns)
    }

    /// Returns the columns whose change counts. Returns `None` if every update counts.
    ///
    /// The templates' columns count too: a row that moves to another tag is missing from the first.
    pub(super) fn watched(&self) -> Option<impl Iterator<Item = &str>> {
        let columns = self.columns.as_ref()?;
        Some(columns.iter().map(String::as_str).chain(self.template_columns()))
    }
}

/// A table with its database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The database.
    pub schema: String,
    /// The table.
    pub name: String,
}

impl TableName {
    /// Returns the name of a table in a database.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// Reads `schema.table`. Returns `None` for anything else.
    fn parse(text: &str) -> Option<Self> {
        let (schema, name) = text.split_once('.')?;
        let is_name = |part: &str| !part.is_empty() && !part.contains(['.', '`', '"']) && part.trim() == part;
        (is_name(schema) && is_name(name)).then(|| Self::new(schema, name))
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A text with columns: `order:{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Column(String),
}

impl Template {
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
}

impl FromStr for Template {
    type Err = &'static str;

    fn from_str(template: &str) -> Result<Self, Self::Err> {
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
                '}' => return Err("a `}` has no `{` before it: write `{column}`, or `}}` for a brace"),
                _ => text.push(char),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if parts.is_empty() {
            return Err("it is empty: write a text with columns, such as \"order:{id}\"");
        }
        Ok(Self(parts))
    }
}

fn column(chars: &mut Peekable<Chars<'_>>) -> Result<String, &'static str> {
    let mut name = String::new();
    loop {
        match chars.next() {
            Some('}') if name.trim().is_empty() => {
                return Err("braces without a column: write `{column}`, or `{{` and `}}` for braces");
            }
            Some('}') => return Ok(name),
            Some('{') | None => return Err("a `{` isn't closed: write `{column}`, or `{{` for a brace"),
            Some(char) => name.push(char),
        }
    }
}
