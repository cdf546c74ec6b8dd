//! How far the log was followed: the transactions that need no second look.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

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
                let gtid = |(domain, (server, sequence)): (&u32, &(u32, u64))| format!("{domain}-{server}-{sequence}");
                write!(f, "mariadb:{}", domains.iter().map(gtid).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// The source of a transaction: the UUID of its server, and its tag (MySQL 8.4), or `""`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The UUID.
    pub uuid: [u8; 16],
    /// The tag, or `""`.
    pub tag: String,
}

/// A set of MySQL's transactions: for each source, ranges of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidSet(BTreeMap<Source, Vec<(u64, u64)>>);

impl GtidSet {
    /// Adds one transaction.
    pub fn add(&mut self, source: Source, number: u64) {
        self.add_range(source, number, number);
    }

    /// Adds all transactions of another set.
    pub fn join(&mut self, other: Self) {
        for (source, ranges) in other.0 {
            for (first, last) in ranges {
                self.add_range(source.clone(), first, last);
            }
        }
    }

    /// Returns whether there is no transaction.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the sources, each with its ranges in the server's notation: `1-5:7`.
    pub fn sources(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(source, ranges)| {
            let range = |(first, last): &(u64, u64)| {
                if first == last { format!(":{first}") } else { format!(":{first}-{last}") }
            };
            format!("{source}{}", ranges.iter().map(range).collect::<String>())
        })
    }

    fn add_range(&mut self, source: Source, first: u64, last: u64) {
        let ranges = self.0.entry(source).or_default();
        // Nearly always the new number follows the last range.
        let at = ranges.partition_point(|(_, end)| end.saturating_add(1) < first);
        let touched = ranges[at..].partition_point(|(start, _)| *start <= last.saturating_add(1));
        let (mut start, mut end) = (first, last);
        for range in ranges.drain(at..at + touched) {
            (start, end) = (start.min(range.0), end.max(range.1));
        }
        ranges.insert(at, (start, end));
    }
}

impl FromStr for GtidSet {
    type Err = BadPosition;

    /// Reads the server's notation: `uuid:1-5:7:tag:3,uuid:…`.
    fn from_str(text: &str) -> Result<Self, BadPosition> {
        let bad = || BadPosition { text: text.to_owned() };
        let mut set = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (uuid, rest) = part.split_once(':').ok_or_else(bad)?;
            let mut source = Source { uuid: uuid_of(uuid).ok_or_else(bad)?, tag: String::new() };
            for piece in rest.split(':').map(str::trim) {
                if !piece.starts_with(|ch: char| ch.is_ascii_digit()) {
                    source.tag = piece.to_owned();
                    continue;
                }
                let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
                let (first, last) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
                if first == 0 || first > last {
                    return Err(bad());
                }
                set.add_range(source.clone(), first, last);
            }
        }
        Ok(set)
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sources().collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.uuid.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        if self.tag.is_empty() { Ok(()) } else { write!(f, ":{}", self.tag) }
    }
}

fn uuid_of(text: &str) -> Option<[u8; 16]> {
    let digits = text.replace('-', "");
    let is_uuid = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(&digits, 16).ok().filter(|_| is_uuid).map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

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

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn the_servers_notation_is_read() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<GtidSet>().map(|set| set.to_string()), Ok(expect.to_owned()));
        };
        check(&format!("{UUID}:1-3:5, \n{UUID}:4"), &format!("{UUID}:1-5"));
        check(&format!("{UUID}:1:b:2-3:1:a:9"), &format!("{UUID}:1,{UUID}:a:9,{UUID}:b:1-3"));
        for bad in [UUID, "x:1", &format!("{UUID}:0"), &format!("{UUID}:5-4"), &format!("{}:1", &UUID[1..])] {
            assert!(bad.parse::<GtidSet>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_set_holds_what_was_added(numbers in prop::collection::vec(1..60_u64, 0..60)) {
            let source = Source { uuid: [7; 16], tag: String::new() };
            let mut set = GtidSet::default();
            numbers.iter().for_each(|number| set.add(source.clone(), *number));
            let ranges = set.0.get(&source).cloned().unwrap_or_default();
            let held: Vec<u64> = ranges.iter().flat_map(|(first, last)| *first..=*last).collect();
            let expected: Vec<u64> = numbers.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(held, expected);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "neighbours are one range");
            prop_assert_eq!(set.to_string().parse::<GtidSet>().unwrap(), set);
        }
    }
}
