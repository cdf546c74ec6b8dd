//! How far the log was followed: the transactions that need no second look.

mod gtid_set;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use self::gtid_set::{GtidSet, Source};

/// A position in the log, independent of files: it survives a restart and a failover of the server.
///
/// ```
/// use mrc_follow::Position;
///
/// let position: Position = "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5".parse()?;
/// assert_eq!(position.to_string(), "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
/// let of_mariadb: Position = "mariadb:0-11-20,5-11-2".parse()?;
/// # let _ = of_mariadb;
/// # Ok::<(), mrc_follow::BadPosition>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// MySQL: the set of the transactions so far.
    MySql(GtidSet),
    /// MariaDB: the last transaction of each domain, as server and sequence.
    MariaDb(BTreeMap<u32, (u32, u64)>),
}

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no position: write `mysql:` or `mariadb:` and the GTIDs, as the server prints them")]
pub struct BadPosition {
    /// The text.
    pub text: String,
}

impl Position {
    /// Reads the GTIDs that MySQL prints: `gtid_executed`.
    ///
    /// # Errors
    /// [`BadPosition`].
    pub fn of_mysql(gtids: &str) -> Result<Self, BadPosition> {
        gtids.parse().map(Self::MySql)
    }

    /// Reads the GTIDs that MariaDB prints: `gtid_binlog_pos`.
    ///
    /// # Errors
    /// [`BadPosition`].
    pub fn of_mariadb(gtids: &str) -> Result<Self, BadPosition> {
        let bad = || BadPosition { text: gtids.to_owned() };
        let one = |gtid: &str| {
            let mut parts = gtid.trim().splitn(3, '-').map(str::parse::<u64>);
            let mut part = || parts.next().and_then(Result::ok).ok_or_else(bad);
            let (domain, server, sequence) = (part()?, part()?, part()?);
            let short = |number: u64| u32::try_from(number).map_err(|_| bad());
            Ok((short(domain)?, (short(server)?, sequence)))
        };
        gtids.split(',').filter(|gtid| !gtid.trim().is_empty()).map(one).collect::<Result<_, _>>().map(Self::MariaDb)
    }
}

impl Position {
    /// Returns whether every transaction of the other position is behind this one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MySql(set), Self::MySql(other)) => {
                let mut both = set.clone();
                both.join(other.clone());
                both == *set
            }
            (Self::MariaDb(domains), Self::MariaDb(other)) => other
                .iter()
                .all(|(domain, (_, sequence))| domains.get(domain).is_some_and(|(_, reached)| reached >= sequence)),
            _ => false,
        }
    }
}

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        match text.split_once(':') {
            Some(("mysql", gtids)) => Self::of_mysql(gtids),
            Some(("mariadb", gtids)) => Self::of_mariadb(gtids),
            _ => Err(BadPosition { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(set) => write!(f, "mysql:{set}"),
            Self::MariaDb(domains) => {
                f.write_str("mariadb:")?;
                for (at, (domain, (server, sequence))) in domains.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    write!(f, "{comma}{domain}-{server}-{sequence}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        for text in [
            "mysql:",
            "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7,3e11fa47-71ca-11e1-9e33-c80aa9429562:tag:1",
            "mariadb:",
            "mariadb:0-1-4294967296,7-2-3",
        ] {
            assert_eq!(text.parse::<Position>().map(|position| position.to_string()), Ok(text.to_owned()));
        }
        for bad in ["", "5-6-7", "mariadb:1", "mariadb:0-1-x", "mysql:1-5", "oracle:1"] {
            assert!(bad.parse::<Position>().unwrap_err().to_string().contains("no position"), "{bad}");
        }
    }
}
