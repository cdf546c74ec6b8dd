//! The record of one read, one write, or any other event, in 24 bytes.

use rustix::time::{ClockId, clock_gettime};

pub(crate) const SIZE: usize = 24;

/// Returns the nanoseconds of `CLOCK_MONOTONIC`, which all processes share.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    Read(Read),
    Write(Write),
    Memory(Memory),
    /// An event happened this many times more.
    Count(Count, u64),
}

/// A read that got an answer. Times are in ns of [`now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) process: u8,
    pub(crate) way: Way,
    pub(crate) seen: Seen,
    pub(crate) item: u16,
    pub(crate) version: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A committed write, and the invalidation that began when the commit had returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) by: By,
    pub(crate) item: u16,
    pub(crate) version: u32,
    /// A time between the return of the commit and the start of the invalidation.
    pub(crate) committed: u64,
    /// The time when the invalidation had returned. `None` if it failed: then it promises nothing.
    /// Of a followed write, a child tells the number of its transaction in the log instead.
    pub(crate) dropped: Option<u64>,
}

/// The memory of a process, at a time of [`now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) process: u8,
    pub(crate) kib: u32,
    pub(crate) at: u64,
}

/// Enums that are sent as a byte and printed as a text.
macro_rules! told {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

told! {
    /// The path of a read, which decides how its entry is invalidated.
    Way {
        Scan "without tags",
        Many "many at once",
        Gathered "gathered",
        Tagged "query tag",
        Late "late tag",
        Bounded "bounded, late tag",
        Nested "nested",
    }
}

told! {
    /// The source of a read's answer.
    Seen {
        Hit "hit",
        Followed "followed",
        Computed "computed",
        FunctionKept "function, hit or followed",
        FunctionRan "function, computed",
        Stale "copy of an expired value",
    }
}

told! {
    /// The one that invalidated.
    By {
        MrcScan "mrc, by scan",
        MrcTag "mrc, by tag",
        Npm "npm peer",
        Pypi "PyPI peer",
        Follower "the follower",
    }
}

told! {
    /// Events that are only counted.
    Count {
        Filled "fills accepted",
        Refused "fills refused",
        Refreshed "refreshes accepted",
        RefreshRefused "refreshes refused",
        EarlyRefreshes "early refreshes by the client",
        Bypassed "bypasses of the cache",
        ReadFailed "reads that failed",
        WriteFailed "writes that failed",
        Warmed "plain SETs under the row's lock",
        DropRetried "invalidations tried again",
        AfterGet "pauses after GET",
        AfterClaim "pauses after the claim",
        AfterRead "pauses after the read",
        AfterFill "pauses after the fill",
        OverLease "pauses longer than the lease",
        DatabaseFailed "failures of the database",
        Delayed "delays on the wire",
        Cut "replies cut off",
        Late "cuts, the commands sent late",
        IndexCut "cuts of either kind of commands to the index of tags",
        FillDoubled "late duplicates of fills",
        BatchFillDoubled "late duplicates of a batch's fills",
        TaggedFillDoubled "late duplicates of fills with tags",
        ReleaseDoubled "late duplicates of releases",
        RemovalDoubled "late duplicates of UNLINK",
        TickDoubled "late duplicates of ticks of the clock",
        TrackDoubled "late duplicates of registrations under a tag",
        BumpDoubled "late duplicates of invalidations of a tag",
        DropDoubled "late duplicates of removals by a tag",
        PruneDoubled "late duplicates of prunings",
        InGap "delays after a registration, or before a removal by a tag",
        ClientKilled "CLIENT KILL",
        ScriptsFlushed "SCRIPT FLUSH",
        Stopped "readers stopped for longer than the lease",
        Killed "readers killed",
        PeerRestarted "peers restarted",
        Led "followers that took the lease",
        Rewound "positions that went back",
        LogLost "positions that the log doesn't have",
        FellBack "invalidations of a whole table",
        FollowerFailed "followers that ended with an error",
        FollowerKilled "followers killed",
        FollowerStopped "followers stopped",
        FollowerCut "links of the follower to the database cut",
        RegistryLost "registries of schemes removed",
        CommitsHeld "commits held between the log and the engine",
    }
}

impl By {
    /// Returns whether its invalidation reaches the entry of such a read.
    pub(crate) fn reaches(self, way: Way) -> bool {
        match way {
            Way::Scan | Way::Many | Way::Gathered => self != Self::MrcTag,
            // Its key has the param, and its entry the tag.
            Way::Tagged => true,
            Way::Late | Way::Bounded | Way::Nested => matches!(self, Self::MrcTag | Self::Follower),
        }
    }

    pub(crate) fn is_peer(self) -> bool {
        matches!(self, Self::Npm | Self::Pypi)
    }
}

impl Count {
    /// Returns whether the count is about the index of tags.
    pub(crate) fn is_of_index(self) -> bool {
        matches!(self, Self::TrackDoubled | Self::BumpDoubled | Self::DropDoubled | Self::PruneDoubled)
    }
}

impl Record {
    pub(crate) fn encode(self) -> [u8; SIZE] {
        let (sort, kind, item, version, first, second) = match self {
            Self::Read(read) => {
                // Both fit in a byte: a process's number, and one of a handful of sources.
                let kind = read.process << 3 | read.seen as u8;
                ((read.way as u8) << 2, kind, read.item, read.version, read.start, read.end)
            }
            Self::Write(write) => {
                (1, write.by as u8, write.item, write.version, write.committed, write.dropped.unwrap_or(0))
            }
            Self::Count(count, more) => (2, count as u8, 0, 0, more, 0),
            Self::Memory(memory) => (3, memory.process, 0, memory.kib, memory.at, 0),
        };
        let mut bytes = [sort; SIZE];
        bytes[1] = kind;
        bytes[2..4].copy_from_slice(&item.to_le_bytes());
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        bytes[8..16].copy_from_slice(&first.to_le_bytes());
        bytes[16..].copy_from_slice(&second.to_le_bytes());
        bytes
    }

    /// Decodes a record. Returns `None` if these bytes are no record.
    pub(crate) fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let number =
            |from: usize, to: usize| bytes[from..to].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let (kind, item, version) = (bytes[1], number(2, 4).try_into().ok()?, number(4, 8).try_into().ok()?);
        let (first, second) = (number(8, 16), number(16, 24));
        Some(match bytes[0] & 3 {
            0 => {
                let seen = *Seen::ALL.get(usize::from(kind & 7))?;
                let way = *Way::ALL.get(usize::from(bytes[0] >> 2))?;
                Self::Read(Read { process: kind >> 3, way, seen, item, version, start: first, end: second })
            }
            1 => {
                let by = *By::ALL.get(usize::from(kind))?;
                let dropped = (second > 0).then_some(second);
                Self::Write(Write { by, item, version, committed: first, dropped })
            }
            2 => Self::Count(*Count::ALL.get(usize::from(kind))?, first),
            _ if bytes[0] == 3 => Self::Memory(Memory { process: kind, kib: version, at: first }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were() {
        let check = |record: Record| assert_eq!(Record::decode(&record.encode()), Some(record));
        let read = Read {
            process: 31,
            way: Way::Scan,
            seen: Seen::Hit,
            item: 65_535,
            version: u32::MAX,
            start: 1,
            end: u64::MAX,
        };
        for &seen in Seen::ALL {
            Way::ALL.iter().for_each(|&way| check(Record::Read(Read { way, seen, ..read })));
        }
        for (&by, dropped) in By::ALL.iter().zip([None, Some(1), Some(u64::MAX), Some(2), Some(3)]) {
            check(Record::Write(Write { by, item: 7, version: 8, committed: 9, dropped }));
        }
        for &count in Count::ALL {
            check(Record::Count(count, 3));
        }
        check(Record::Memory(Memory { process: 1, kib: u32::MAX, at: u64::MAX }));
        assert_eq!(Record::decode(&[255; SIZE]), None);
    }
}
