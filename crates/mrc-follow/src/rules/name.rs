//! Names of tables.

use std::fmt;

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
    pub(super) fn parse(text: &str) -> Option<Self> {
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
