//! The rule: a read must not see a version whose invalidation had returned before the read started.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::record::{Read, Way, Write};

/// A read that broke the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) read: Read,
    /// The oldest version that it was allowed to see.
    pub(crate) expected: u32,
    /// The write whose invalidation it must have noticed.
    pub(crate) after: Write,
}

/// The end of an invalidation, and the oldest version that may be seen from then on.
#[derive(Clone, Copy)]
struct Floor {
    from: u64,
    version: u32,
    by: Write,
}

/// Returns all reads that saw a version below their floor: the newest one that was committed before
/// an invalidation began. The invalidation reaches the entry and had returned before the read.
/// Equal times decide nothing. O(n log n).
pub(crate) fn stale(reads: &[Read], writes: &[Write]) -> Vec<Stale> {
    let mut of_entry: HashMap<(u16, Way), Vec<Write>> = HashMap::new();
    for write in writes {
        for &way in Way::ALL {
            // An invalidation that doesn't reach an entry counts as a failed one.
            let dropped = write.dropped.filter(|_| write.by.reaches(way));
            of_entry.entry((write.item, way)).or_default().push(Write { dropped, ..*write });
        }
    }
    let floors: HashMap<_, Vec<Floor>> = of_entry.into_iter().map(|(entry, writes)| (entry, floors(writes))).collect();
    let broken = reads.iter().filter_map(|&read| {
        let floors = floors.get(&(read.item, read.way))?;
        let floor = floors.get(floors.partition_point(|floor| floor.from < read.start).checked_sub(1)?)?;
        (read.version < floor.version).then_some(Stale { read, expected: floor.version, after: floor.by })
    });
    broken.collect()
}

/// Returns the floors of one entry, in order of time. They only rise.
fn floors(mut writes: Vec<Write>) -> Vec<Floor> {
    // Of versions committed at one time the newest is first: the other's invalidation covers each.
    writes.sort_unstable_by_key(|write| (write.committed, Reverse(write.version)));
    let mut newest = 0;
    let dropped = writes.iter().filter_map(|&by| {
        // A failed invalidation promises nothing, but the next one covers its commit.
        newest = newest.max(by.version);
        Some(Floor { from: by.dropped?, version: newest, by })
    });
    let mut floors: Vec<Floor> = dropped.collect();
    floors.sort_unstable_by_key(|floor| floor.from);
    let mut highest: Option<Floor> = None;
    for floor in &mut floors {
        match highest {
            Some(highest) if highest.version > floor.version => *floor = Floor { from: floor.from, ..highest },
            _ => highest = Some(*floor),
        }
    }
    floors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{By, Seen};

    fn read(item: u16, version: u32, start: u64) -> Read {
        Read { process: 0, way: Way::Scan, seen: Seen::Hit, item, version, start, end: start + 1 }
    }

    fn write(item: u16, version: u32, committed: u64, dropped: impl Into<Option<u64>>) -> Write {
        Write { by: By::MrcScan, item, version, committed, dropped: dropped.into() }
    }

    /// Checks which versions were expected by the reads that broke the rule.
    fn check(reads: &[Read], writes: &[Write], expected: &[u32]) {
        let found: Vec<u32> = stale(reads, writes).iter().map(|stale| stale.expected).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_read_after_an_invalidation_must_see_what_was_committed_before() {
        let writes = [write(1, 5, 10, 20)];
        check(&[read(1, 4, 21)], &writes, &[5]);
        check(&[read(1, 5, 21), read(1, 6, 21)], &writes, &[]);
    }

    #[test]
    fn a_read_that_started_before_may_see_anything() {
        check(&[read(1, 0, 5), read(1, 0, 15), read(1, 0, 20)], &[write(1, 5, 10, 20)], &[]);
    }

    #[test]
    fn items_have_nothing_to_do_with_each_other() {
        check(&[read(2, 0, 30), read(3, 0, 30)], &[write(1, 5, 10, 20), write(3, 1, 10, 20)], &[1]);
    }

    #[test]
    fn a_failed_invalidation_promises_nothing() {
        check(&[read(1, 4, 30)], &[write(1, 5, 10, None)], &[]);
    }

    #[test]
    fn an_invalidation_covers_what_others_committed_before_it_began() {
        // Version 6 was committed and its own invalidation failed; that of 5 began later.
        let writes = [write(1, 6, 10, None), write(1, 5, 11, 20)];
        check(&[read(1, 5, 30)], &writes, &[6]);
        // Here the invalidation of 5 began before the commit of 6.
        check(&[read(1, 5, 30)], &[write(1, 6, 12, None), write(1, 5, 11, 20)], &[]);
    }

    #[test]
    fn a_slow_invalidation_that_ends_last_lowers_nothing() {
        let writes = [write(1, 1, 10, 100), write(1, 2, 20, 30)];
        check(&[read(1, 1, 50), read(1, 1, 101), read(1, 2, 101)], &writes, &[2, 2]);
        assert_eq!(stale(&[read(1, 1, 101)], &writes)[0].after, writes[1]);
    }

    #[test]
    fn an_invalidation_counts_for_what_it_reaches() {
        let check = |by: By, expected: &[Way]| {
            let reads: Vec<Read> = Way::ALL.iter().map(|&way| Read { way, ..read(1, 4, 30) }).collect();
            let writes = [Write { by, ..write(1, 5, 10, 20) }];
            let found: Vec<Way> = stale(&reads, &writes).iter().map(|stale| stale.read.way).collect();
            assert_eq!(found, expected, "{by:?}");
        };
        for by in [By::MrcScan, By::Npm, By::Pypi] {
            check(by, &[Way::Scan, Way::Many, Way::Gathered, Way::Tagged]);
        }
        check(By::MrcTag, &[Way::Tagged, Way::Late, Way::Bounded, Way::Nested]);
        check(By::Follower, Way::ALL);
    }

    #[test]
    fn a_write_is_covered_by_the_next_invalidation_that_reaches_the_entry() {
        let writes = [write(1, 5, 10, 20), Write { by: By::MrcTag, ..write(1, 6, 12, 25) }];
        let late = |version, start| Read { way: Way::Late, ..read(1, version, start) };
        check(&[late(4, 22), late(5, 30), late(6, 30), read(1, 4, 30), read(1, 5, 30)], &writes, &[6, 5]);
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        check(&[], &[], &[]);
        check(&[read(1, 0, 1)], &[], &[]);
    }

    /// Compares with a literal form of the rule, on many small histories.
    #[test]
    fn it_finds_what_looking_at_every_pair_finds() {
        use rand::{Rng, SeedableRng, rngs::SmallRng};
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..2_000 {
            let writes: Vec<Write> = (0..6)
                .map(|_| {
                    let committed = rng.random_range(1..30);
                    let dropped = rng.random_bool(0.8).then(|| committed + rng.random_range(0..15));
                    let by = By::ALL[rng.random_range(0..By::ALL.len())];
                    Write { by, ..write(rng.random_range(0..2), rng.random_range(0..6), committed, dropped) }
                })
                .collect();
            let reads: Vec<Read> = (0..6)
                .map(|_| {
                    let way = Way::ALL[rng.random_range(0..Way::ALL.len())];
                    Read { way, ..read(rng.random_range(0..2), rng.random_range(0..6), rng.random_range(0..50)) }
                })
                .collect();
            let by_pairs = reads.iter().filter(|read| {
                let returned = |drop: &&Write| {
                    let reaches = drop.item == read.item && drop.by.reaches(read.way);
                    reaches && drop.dropped.is_some_and(|at| at < read.start)
                };
                let newer = |drop: &Write| {
                    let before = |write: &&Write| write.item == drop.item && write.committed <= drop.committed;
                    writes.iter().filter(before).any(|write| write.version > read.version)
                };
                writes.iter().filter(returned).any(newer)
            });
            let found: Vec<Read> = stale(&reads, &writes).iter().map(|stale| stale.read).collect();
            assert_eq!(found, by_pairs.copied().collect::<Vec<_>>());
        }
    }
}
