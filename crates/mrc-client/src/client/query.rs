//! A query: the text that runs, and the text that its key is made of.

use std::borrow::Cow;

use mrc_core::Tag;

/// A statement to run, and the text of its key. Usually a plain `&str`.
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
    /// Returns the query of a statement, with `?` for each param.
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self { sql: sql.into(), keyed_as: None, trusted: false, tags: Vec::new(), tagged_by_params: false }
    }

    /// Hashes another service's text, or your own name, for the key. Default: the statement itself.
    #[must_use]
    pub fn keyed_as(self, text: impl Into<Cow<'a, str>>) -> Self {
        Self { keyed_as: Some(text.into()), ..self }
    }

    /// Caches the statement although mrc can't tell that it only reads.
    ///
    /// For stored functions that only read, and for reads in a syntax that the check doesn't know.
    /// The result must depend on the params and the data alone.
    #[must_use]
    pub fn trust_read_only(self) -> Self {
        Self { trusted: true, ..self }
    }

    /// Adds a tag to the entry. The cost of its invalidation grows with its entries, not all keys.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds a tag for each named param, such as `StoreId=6`. A drop by params can then use the
    /// index instead of a scan. Default: false.
    #[must_use]
    pub fn tag_by_params(self) -> Self {
        Self { tagged_by_params: true, ..self }
    }

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
