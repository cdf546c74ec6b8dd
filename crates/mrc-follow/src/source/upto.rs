//! The transactions that readers must see before their effects may be invalidated.

use crate::event::Gtid;
use crate::position::{GtidSet, Source};

/// The transactions of a batch, as the server can be asked whether readers see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upto {
    /// MySQL: all of these transactions. All, because engines needn't commit in the log's order.
    MySql(GtidSet),
    /// MariaDB: everything before this place in the log.
    MariaDb {
        /// The file.
        file: String,
        /// The bytes in the file.
        position: u64,
    },
}

impl Upto {
    /// Returns the transaction alone, which ends at this place in the log.
    pub(crate) fn of(gtid: &Gtid, file: &str, position: u64) -> Self {
        match gtid {
            Gtid::MySql { uuid, tag, number, .. } => {
                let mut set = GtidSet::default();
                set.add(Source { uuid: *uuid, tag: tag.clone() }, *number);
                Self::MySql(set)
            }
            _ => Self::MariaDb { file: file.to_owned(), position },
        }
    }

    /// Adds later transactions.
    pub(crate) fn and(&mut self, later: Self) {
        match (self, later) {
            (Self::MySql(set), Self::MySql(more)) => set.join(more),
            (place, later) => *place = later,
        }
    }
}

/// Returns whether the log of MariaDB is read up to a place: `seen` is a file and a position.
pub(super) fn is_reached(seen: (&str, u64), file: &str, position: u64) -> bool {
    let number = |file: &str| file.rsplit('.').next().and_then(|digits| digits.parse::<u64>().ok());
    (number(seen.0), seen.1) >= (number(file), position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_by_file_first() {
        assert!(is_reached(("log.000010", 4), "log.000009", 900));
        assert!(is_reached(("log.1000000", 4), "log.999999", 900));
        assert!(is_reached(("log.000009", 900), "log.000009", 900));
        assert!(!is_reached(("log.000009", 899), "log.000009", 900));
        assert!(!is_reached(("", 0), "log.000001", 4));
    }
}
