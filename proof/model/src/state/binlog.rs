//! The binlog: a change is logged first, and becomes visible to readers later.

use crate::setting::Change;
use crate::state::redis::Version;

/// The number of events that a follower of the binlog is done with.
pub(crate) type Position = u8;

/// The binlog. Event n makes version n of the row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Binlog {
    /// The change of each event, those to come included.
    pub(crate) changes: Vec<Change>,
    /// The number of events that are logged. The row's version is the number of the visible ones.
    pub(crate) logged: Position,
}

impl Binlog {
    /// Returns whether all that shall happen is logged.
    pub(crate) fn is_complete(&self) -> bool {
        usize::from(self.logged) == self.changes.len()
    }

    /// Returns the version of the last change of our row up to `upto`. Returns 0 if there is none.
    pub(crate) fn last_of_ours(&self, upto: Position) -> Version {
        let ours = (1..).zip(&self.changes).filter(|(at, change)| *at <= upto && **change == Change::Ours);
        ours.map(|(at, _)| at).last().unwrap_or(0)
    }
}
