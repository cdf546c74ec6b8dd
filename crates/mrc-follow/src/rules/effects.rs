//! The tags, params and tables that transactions invalidate, and the reasons for whole tables.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::RandomState;
use mrc_core::{Params, Tag, Value};

use super::TableName;

/// The tags, params and tables that a transaction invalidates, or several.
///
/// Begin with a new one for each transaction, then [`merge`](Self::merge): `max_tags` of a rule
/// counts within one.
///
/// The memory is bounded: above [`MOST`](Self::MOST) tags and params, or 16 MiB of them,
/// everything of a table replaces its further rows.
#[derive(Debug, Default)]
pub struct Effects {
    tags: HashSet<Tag, RandomState>,
    /// Whether a tag may be that of a scheme.
    ends_schemes: bool,
    /// By name and spelling.
    params: HashMap<Box<str>, (Box<str>, Value)>,
    whole: BTreeMap<TableName, Reason>,
    everything: Option<Reason>,
    /// The number of tags and params by the position of their rule.
    counts: Vec<usize>,
    bytes: usize,
    /// Lent to each row, so that no row allocates one.
    pub(super) buffer: String,
    key: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) rule: usize,
    pub(super) most: usize,
}

impl Effects {
    /// The most tags and params that rows may add: 100,000.
    pub const MOST: usize = 100_000;
    const MOST_BYTES: usize = 16 << 20;

    /// Returns no effects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the tags to invalidate, in no order.
    pub fn tags(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.tags.iter()
    }

    /// Returns the params whose entries to drop, in no order. A column may give several values, one
    /// for each type that a caller may have bound.
    pub fn params(&self) -> Params {
        self.params.values().fold(Params::with_capacity(self.params.len()), |params, (name, value)| {
            params.with(name.to_string(), value.clone())
        })
    }

    /// Returns the tables of which everything is invalidated, with the first reason of each.
    pub fn whole(&self) -> impl ExactSizeIterator<Item = (&TableName, &Reason)> {
        self.whole.iter()
    }

    /// Returns why everything of all tables is invalidated. Returns `None` if it isn't.
    pub fn everything(&self) -> Option<&Reason> {
        self.everything.as_ref()
    }

    /// Returns the number of tags and params.
    pub fn len(&self) -> usize {
        self.tags.len() + self.params.len()
    }

    /// Returns whether nothing is invalidated.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.whole.is_empty() && self.everything.is_none()
    }

    /// Returns whether rows can't add more. Invalidate before merging more into a full one.
    pub fn is_full(&self) -> bool {
        self.len() >= Self::MOST || self.bytes >= Self::MOST_BYTES
    }

    /// Marks everything of a table. The first reason stays.
    pub fn mark_whole(&mut self, table: &TableName, reason: Reason) {
        if !self.whole.contains_key(table) {
            self.whole.insert(table.clone(), reason);
        }
    }

    /// Marks everything of all tables. The first reason stays.
    pub fn mark_everything(&mut self, reason: Reason) {
        self.everything.get_or_insert(reason);
    }

    /// Adds the effects of another transaction. The bound of memory doesn't count here: a full
    /// one, merged into a full one, has twice as many tags.
    pub fn merge(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.ends_schemes |= other.ends_schemes;
        if self.tags.is_empty() {
            self.tags = other.tags;
        } else {
            self.tags.extend(other.tags);
        }
        self.params.extend(other.params);
        for (table, reason) in other.whole {
            self.whole.entry(table).or_insert(reason);
        }
        self.everything = self.everything.take().or(other.everything);
    }

    /// Returns whether all entries of a scheme are to be invalidated.
    pub(crate) fn ends_scheme(&self, tag: &Tag) -> bool {
        self.ends_schemes && self.tags.contains(tag)
    }

    /// Adds the tag of a scheme. The number of schemes bounds the memory.
    pub(crate) fn end_scheme(&mut self, tag: Tag) {
        self.ends_schemes = true;
        self.insert(tag);
    }

    pub(crate) fn end_row(&mut self, tag: &str) -> Result<(), Reason> {
        if self.tags.contains(tag) {
            return Ok(());
        }
        if self.is_full() {
            return Err(Reason::TooMany { limit: Self::MOST });
        }
        self.insert(Tag::new(tag));
        Ok(())
    }

    fn insert(&mut self, tag: Tag) {
        let bytes = tag.as_str().len().saturating_add(64);
        if self.tags.insert(tag) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Returns whether rows of the table add nothing any more.
    pub(crate) fn is_whole(&self, table: &TableName) -> bool {
        self.everything.is_some() || self.whole.contains_key(table)
    }

    pub(super) fn add_tag(&mut self, tag: &str, budget: Budget) -> Result<(), Reason> {
        // No entry can have an empty tag.
        if tag.is_empty() || self.tags.contains(tag) {
            return Ok(());
        }
        self.spend(tag.len(), budget)?;
        self.tags.insert(Tag::new(tag));
        Ok(())
    }

    pub(super) fn add_text(&mut self, name: &str, text: &str, budget: Budget) -> Result<(), Reason> {
        self.key.clear();
        self.key.extend([name, "=", text]);
        self.add_param(name, text.len(), || text.into(), budget)
    }

    pub(super) fn add_value(&mut self, name: &str, value: Value, budget: Budget) -> Result<(), Reason> {
        if let Value::Text(text) = &value {
            return self.add_text(name, text, budget);
        }
        self.key.clear();
        // A name is never empty, so that no text has this key.
        self.key.extend(["=", name, "=", &format!("{value:?}")]);
        let length = if let Value::Bytes(bytes) = &value { bytes.len() } else { 0 };
        self.add_param(name, length, || value, budget)
    }

    /// Adds a param under `self.key`.
    fn add_param(
        &mut self,
        name: &str,
        length: usize,
        value: impl FnOnce() -> Value,
        budget: Budget,
    ) -> Result<(), Reason> {
        if self.params.contains_key(self.key.as_str()) {
            return Ok(());
        }
        self.spend(length, budget)?;
        self.params.insert(self.key.as_str().into(), (name.into(), value()));
        Ok(())
    }

    fn spend(&mut self, length: usize, budget: Budget) -> Result<(), Reason> {
        if length > Tag::LONGEST {
            return Err(Reason::TooLong);
        }
        if self.is_full() {
            return Err(Reason::TooMany { limit: Self::MOST });
        }
        if self.counts.len() <= budget.rule {
            self.counts.resize(budget.rule.saturating_add(1), 0);
        }
        if let Some(count) = self.counts.get_mut(budget.rule) {
            if *count >= budget.most {
                return Err(Reason::TooMany { limit: budget.most });
            }
            *count += 1;
        }
        self.bytes = self.bytes.saturating_add(length).saturating_add(64);
        Ok(())
    }
}

/// Why everything of a table, or of all tables, is invalidated. Its text names the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The binlog lacks the names, signs, charsets or members of the columns.
    #[error("the binlog doesn't describe the columns: SET GLOBAL binlog_row_metadata = FULL")]
    Metadata,
    /// A rule names a column that the table doesn't have.
    #[error("the table has no column `{column}`: correct the rule")]
    NoColumn {
        /// The column of the rule.
        column: String,
    },
    /// Values of this type have no natural text.
    #[error("`{column}` has the type {kind}, which tags and params can't hold: use another column")]
    Type {
        /// The column.
        column: String,
        /// The type in SQL.
        kind: &'static str,
    },
    /// A row lacks a column that a rule needs.
    #[error("a row lacks `{column}`: SET GLOBAL binlog_row_image = FULL")]
    Absent {
        /// The column.
        column: String,
    },
    /// A value isn't valid in its charset, or can't be converted.
    #[error("a value of `{column}` can't be read as text")]
    Unreadable {
        /// The column.
        column: String,
    },
    /// A tag or a param is longer than 1,024 bytes.
    #[error("a tag or a param would have more than {} bytes: use a shorter column", mrc_core::Tag::LONGEST)]
    TooLong,
    /// A transaction has too many different tags and params.
    #[error("the transaction has more than {limit} different tags and params")]
    TooMany {
        /// The number that is allowed.
        limit: usize,
    },
    /// A statement names the table: DDL, or a change in statement format.
    #[error("a statement names the table")]
    Statement,
    /// The log has a change as a statement, without its rows.
    #[error("the log has a change without its rows: SET GLOBAL binlog_format = ROW")]
    StatementFormat,
    /// A statement isn't understood.
    #[error("a statement isn't understood")]
    Unclear,
    /// The cache no longer has the registry of schemes that the follower knows. Entries may have
    /// schemes that were registered meanwhile.
    #[error("the registry of schemes is gone from the cache: it was evicted or lost, or its entries have expired")]
    Registry,
    /// Any other reason of the follower's, such as an event that can't be decoded.
    #[error("{0}")]
    Other(String),
}

impl Reason {
    /// Returns a word for the label of a metric.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::NoColumn { .. } => "no_column",
            Self::Type { .. } => "type",
            Self::Absent { .. } => "absent",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLong => "too_long",
            Self::TooMany { .. } => "too_many",
            Self::Statement => "statement",
            Self::StatementFormat => "statement_format",
            Self::Unclear => "unclear",
            Self::Registry => "registry",
            Self::Other(_) => "other",
        }
    }
}
