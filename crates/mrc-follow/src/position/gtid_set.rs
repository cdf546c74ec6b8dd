//! MySQL's sets of transactions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::BadPosition;

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
            let mut text = source.to_string();
            for (first, last) in ranges {
                text += &if first == last { format!(":{first}") } else { format!(":{first}-{last}") };
            }
            text
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
    let digits: Vec<u8> =
        text.chars().filter(|ch| *ch != '-').map(|ch| ch.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

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
