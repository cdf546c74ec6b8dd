//! The lists of settings: those of CI, those without tags, and those that no protocol bears.

mod followed;
mod tagged;

use crate::setting::{Change, Faults, Setting, Tagging};

impl Setting {
    /// Returns small settings, each with a few faults. All of them take seconds.
    #[must_use]
    pub fn small() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 2, writes: vec![1], ..Self::default() };
        let tagged = Self { tags: Tagging::Ours, writes: Vec::new(), tag_writes: vec![1], ..base.clone() };
        let one = Self { readers: 1, ..tagged.clone() };
        let none = Faults::default();
        let late = Faults { timeouts: 1, repeats: 1, ..none };
        let gone = Faults { k_goes: 1, l_goes: 1, ..none };
        let back = Faults { goes_back: 1, ..none };
        let followed = Self::followed(&one, vec![Change::Ours]);
        vec![
            ("two readers", base.clone()),
            ("a follower", Self { followers: 1, ..base.clone() }),
            ("late and repeated", base.with(late)),
            ("expiry", base.with(gone)),
            ("crash, failed read", base.with(Faults { crashes: 1, failed_reads: 1, ..none })),
            ("refresh", Self { refresh: true, ..base.with(Faults { peer_fills: 1, ..none }) }),
            ("copies, a failed read", Self { copies: 2, ..base.with(Faults { s_goes: 1, failed_reads: 1, ..none }) }),
            ("copies, a peer's invalidation", Self { copies: 2, writes: vec![], peer_writes: vec![1], ..base.clone() }),
            ("one keeps copies, the other doesn't", Self { copies: 1, ..base.with(gone) }),
            ("a tag, two readers", tagged.clone()),
            ("a tag, late and repeated", Self { readers: 1, ..tagged.with(late) }),
            ("tags that change, refresh", Self { refresh: true, tags: Tagging::Any, ..tagged.clone() }),
            ("nested", Self { readers: 1, outer: 1, ..tagged.clone() }),
            ("a drop by a param", Self { readers: 1, outer: 1, ..Self::dropped(&tagged) }),
            ("buckets", Self { buckets: true, other_writes: vec![1], ..one.with(Faults { bucket_goes: 1, ..none }) }),
            ("followed", followed.with(Faults { follower_crashes: 1, ..none })),
            ("two followers of the binlog", Self { processes: 2, ..followed.clone() }),
            ("a primary of a cluster goes back", Self { cluster: true, ..followed.with(back) }),
            ("Redis goes back", followed.with(back)),
            ("schemes", Self { schemes: true, buckets: true, ..followed.with(Faults { scheme_goes: 1, ..none }) }),
        ]
    }

    /// Returns the settings of `just model` without tags: minutes, and gigabytes.
    #[must_use]
    pub fn large() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 2, writes: vec![1], ..Self::default() };
        let peers = Self { writes: Vec::new(), peer_writes: vec![1], ..base.clone() };
        let none = Faults::default();
        let late = Faults { timeouts: 1, repeats: 1, ..none };
        let late_and_gone = Faults { k_goes: 1, l_goes: 1, ..late };
        let each = Faults { crashes: 1, failed_reads: 1, peer_fills: 1, ..late_and_gone };
        let twice = Faults { timeouts: 2, k_goes: 2, l_goes: 1, ..none };
        vec![
            ("each fault", base.with(each)),
            ("each fault, a follower", Self { followers: 1, ..base.with(each) }),
            ("a timeout and gone, twice", base.with(twice)),
            ("two followers, late and gone", Self { followers: 2, ..base.with(late_and_gone) }),
            (
                "two calls, a timeout, K goes",
                Self { further_calls: 1, ..base.with(Faults { timeouts: 1, k_goes: 1, ..none }) },
            ),
            ("two writes, late and gone", Self { writes: vec![2], ..base.with(late_and_gone) }),
            ("two writers, late", Self { writes: vec![1, 1], ..base.with(late) }),
            ("three readers, a follower, late", Self { readers: 3, followers: 1, ..base.with(late) }),
            (
                "three readers, two writes, a timeout",
                Self { readers: 3, writes: vec![2], ..base.with(Faults { timeouts: 1, ..none }) },
            ),
            ("refresh, each fault", Self { refresh: true, ..base.with(each) }),
            (
                "refresh, a follower, two calls, late",
                Self { refresh: true, followers: 1, further_calls: 1, ..base.with(late) },
            ),
            (
                "copies, each fault, nothing repeated",
                Self { copies: 2, ..base.with(Faults { repeats: 0, s_goes: 1, ..each }) },
            ),
            (
                "copies, late, a failed read",
                Self { copies: 2, ..base.with(Faults { s_goes: 1, failed_reads: 1, ..late }) },
            ),
            (
                "copies, a peer's invalidation, a timeout, gone",
                Self { copies: 2, ..peers.with(Faults { repeats: 0, s_goes: 1, ..late_and_gone }) },
            ),
            (
                "one keeps copies, a peer's invalidation, likewise",
                Self { copies: 1, ..peers.with(Faults { repeats: 0, s_goes: 1, ..late_and_gone }) },
            ),
            (
                "copies, our invalidation and a peer's, a timeout",
                Self { copies: 2, writes: vec![1], ..peers.with(Faults { timeouts: 1, ..none }) },
            ),
            (
                "copies, two calls, a peer's invalidation, late",
                Self { copies: 2, further_calls: 1, ..peers.with(late) },
            ),
            (
                "copies, refresh, a peer's invalidation, late",
                Self { copies: 2, refresh: true, ..peers.with(Faults { failed_reads: 1, peer_fills: 1, ..late }) },
            ),
        ]
    }

    /// Returns settings that the protocol doesn't bear. Each counterexample is a rule for drivers.
    #[must_use]
    pub fn beyond() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 1, writes: vec![1], ..Self::default() };
        let faults = Faults { repeated_claims: 1, ..Faults::default() };
        vec![("a claim executed twice with one token", base.with(faults))]
    }
}
