//! The settings of CI, and those that no protocol bears.

use crate::setting::{Change, Faults, Setting, Tagging};

impl Setting {
    /// Returns small settings, each with a few faults. All of them take seconds.
    #[must_use]
    pub fn small() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 2, writes: vec![1], ..Self::default() };
        let tagged = Self { tags: Tagging::Ours, writes: Vec::new(), tag_writes: vec![1], ..base.clone() };
        let one = Self { readers: 1, ..tagged.clone() };
        let followed = Self::followed(&one, vec![Change::Ours]);
        vec![
            ("two readers", base.clone()),
            ("a follower", Self { followers: 1, ..base.clone() }),
            (
                "late and repeated",
                Self { faults: Faults { timeouts: 1, repeats: 1, ..Faults::default() }, ..base.clone() },
            ),
            ("expiry", Self { faults: Faults { k_goes: 1, l_goes: 1, ..Faults::default() }, ..base.clone() }),
            (
                "crash, failed read",
                Self { faults: Faults { crashes: 1, failed_reads: 1, ..Faults::default() }, ..base.clone() },
            ),
            ("refresh", Self { refresh: true, faults: Faults { peer_fills: 1, ..Faults::default() }, ..base.clone() }),
            (
                "copies, a failed read",
                Self { copies: 2, faults: Faults { s_goes: 1, failed_reads: 1, ..Faults::default() }, ..base.clone() },
            ),
            ("copies, a peer's invalidation", Self { copies: 2, writes: vec![], peer_writes: vec![1], ..base.clone() }),
            (
                "one keeps copies, the other doesn't",
                Self { copies: 1, faults: Faults { k_goes: 1, l_goes: 1, ..Faults::default() }, ..base },
            ),
            ("a tag, two readers", tagged.clone()),
            (
                "a tag, late and repeated",
                Self { readers: 1, faults: Faults { timeouts: 1, repeats: 1, ..Faults::default() }, ..tagged.clone() },
            ),
            ("tags that change, refresh", Self { refresh: true, tags: Tagging::Any, ..tagged.clone() }),
            ("nested", Self { readers: 1, outer: 1, ..tagged.clone() }),
            ("a drop by a param", Self { readers: 1, outer: 1, ..Self::dropped(&tagged) }),
            (
                "buckets",
                Self {
                    buckets: true,
                    other_writes: vec![1],
                    faults: Faults { bucket_goes: 1, ..Faults::default() },
                    ..one.clone()
                },
            ),
            ("followed", Self { faults: Faults { follower_crashes: 1, ..Faults::default() }, ..followed.clone() }),
            ("two followers of the binlog", Self { processes: 2, ..followed.clone() }),
            (
                "a primary of a cluster goes back",
                Self { cluster: true, faults: Faults { goes_back: 1, ..Faults::default() }, ..followed.clone() },
            ),
            ("Redis goes back", Self { faults: Faults { goes_back: 1, ..Faults::default() }, ..followed.clone() }),
            (
                "schemes",
                Self {
                    schemes: true,
                    buckets: true,
                    faults: Faults { scheme_goes: 1, ..Faults::default() },
                    ..followed
                },
            ),
        ]
    }

    /// Returns settings that the protocol doesn't bear. Each counterexample is a rule for drivers.
    #[must_use]
    pub fn beyond() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 1, writes: vec![1], ..Self::default() };
        let faults = Faults { repeated_claims: 1, ..Faults::default() };
        vec![("a claim executed twice with one token", Self { faults, ..base })]
    }
}
