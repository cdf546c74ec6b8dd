//! A query: the text that is run, and the text that its key is made of.

use std::borrow::Cow;

use mrc_core::Tag;

/// A statement to run, and what its key is made of. Usually a plain `&str`.
///
/// ```
/// use mrc_client::Query;
///
/// // The Python services write this statement with `%s`: hash their text, run ours.
/// let shared = Query::new("SELECT * FROM users WHERE id = ?").keyed_as("SELECT * FROM users WHERE id = %s");
/// let plain: Query<'_> = "SELECT 1".into();
/// let tagged = Query::new("SELECT * FROM orders WHERE store_id = ?").tag("orders").tag_by_params();
/// # let _ = (shared, plain, tagged);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    pub(crate) sql: Cow<'a, str>,
    pub(crate) keyed_as: Option<Cow<'a, str>>,
    pub(crate) trusted: bool,
    pub(crate) tags: Vec<Tag>,
    pub(crate) tagged_by_params: bool,
}

impl<'a> Query<'a> {
    /// A statement, with `?` for each param.
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self { sql: sql.into(), keyed_as: None, trusted: false, tags: Vec::new(), tagged_by_params: false }
    }

    /// Hashes another text than the one that is run: what another service writes, or a name of your own.
    /// Default: the statement itself.
    #[must_use]
    pub fn keyed_as(self, text: impl Into<Cow<'a, str>>) -> Self {
        Self { keyed_as: Some(text.into()), ..self }
    }

    /// Caches the statement although mrc can't tell that it only reads.
    ///
    /// For stored functions that only read, and for reads in a syntax that the check doesn't know. What it returns must depend on the params and on the data alone.
    #[must_use]
    pub fn trust_read_only(self) -> Self {
        Self { trusted: true, ..self }
    }

    /// A tag of the entry: whoever invalidates it removes the entry, at the cost of what has the tag, not of the keyspace.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Makes a tag of each named param, `StoreId=6`, so that a drop by params can take the index instead of a scan. Default: false.
    #[must_use]
    pub fn tag_by_params(self) -> Self {
        Self { tagged_by_params: true, ..self }
    }

    /// The text that the key is made of.
    pub(crate) fn key_text(&self) -> &str {
        self.keyed_as.as_deref().unwrap_or(&self.sql)
    }
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(sql: &'a str) -> Self {
        Self::new(sql)
    }
}

impl<'a> From<&'a String> for Query<'a> {
    fn from(sql: &'a String) -> Self {
        Self::new(sql.as_str())
    }
}

impl From<String> for Query<'_> {
    fn from(sql: String) -> Self {
        Self::new(sql)
    }
}
