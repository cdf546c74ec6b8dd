//! The reasons for invalidating everything of a table.

/// Why everything of a table, or of all tables, is invalidated. [`Display`](std::fmt::Display)
/// names the fix.
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
