//! Statements in the binlog: the effect of a `QUERY` event, by its text.
//!
//! A statement is read by tokens, and each name in it may be a table: the result is never less than
//! the statement did. The `sql_mode` isn't known, nor whether the server ran an executable comment.
//! So a text is read in every way that these allow, and the readings are combined.

mod lexer;
mod names;
mod reading;
#[cfg(test)]
mod tests;
mod xid;

pub use names::Names;
pub use xid::Xid;

/// The effect of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT`, `ROLLBACK TO`, `RELEASE SAVEPOINT`.
    Savepoint,
    /// `XA START`: begins a transaction.
    XaStart(Xid),
    /// `XA END`: ends the rows of a transaction.
    XaEnd(Xid),
    /// `XA PREPARE`.
    XaPrepare(Xid),
    /// `XA COMMIT`.
    XaCommit(Xid),
    /// `XA ROLLBACK`.
    XaRollback(Xid),
    /// May change tables with these names.
    Touches {
        /// All names in the text.
        names: Names,
        /// Whether it is a change in statement format, such as `UPDATE`. Triggers, stored functions
        /// and cascades may change tables that it doesn't name.
        changes_rows: bool,
    },
    /// `DROP DATABASE`.
    DropsDatabase(String),
    /// Changes no table: `SET`, `GRANT`, `CREATE USER`, `FLUSH`, `CREATE DATABASE`, …
    Harmless,
    /// Not understood: it may change any table.
    Unclear,
}

impl Statement {
    /// Reads the text of a `QUERY` event.
    pub fn read(text: &[u8]) -> Self {
        let variants = lexer::Mode::all_for(text);
        let readings = variants.into_iter().map(|mode| reading::read(text, mode));
        readings.reduce(Self::or).unwrap_or(Self::Unclear)
    }

    /// Returns a statement that does at least as much as either.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Touches { mut names, changes_rows }, Self::Touches { names: more, changes_rows: also_changes }) => {
                names.extend(more);
                Self::Touches { names, changes_rows: changes_rows || also_changes }
            }
            (touches @ Self::Touches { .. }, Self::Harmless) | (Self::Harmless, touches @ Self::Touches { .. }) => {
                touches
            }
            _ => Self::Unclear,
        }
    }
}
