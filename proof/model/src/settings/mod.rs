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
        let followed = Self::followed(&one, vec![Change::Ours]);
        vec![
            ("two readers", base.clone()),
            ("a follower", Self { followers: 1, ..base.clone() }),
            ("late and repeated", Self { faults: Faults { timeouts: 1, repeats: 1, ..none }, ..base.clone() }),
            ("expiry", Self { faults: Faults { k_goes: 1, l_goes: 1, ..none }, ..base.clone() }),
            ("crash, failed read", Self { faults: Faults { crashes: 1, failed_reads: 1, ..none }, ..base.clone() }),
            ("refresh", Self { refresh: true, faults: Faults { peer_fills: 1, ..none }, ..base.clone() }),
            (
                "copies, a failed read",
                Self { copies: 2, faults: Faults { s_goes: 1, failed_reads: 1, ..none }, ..base.clone() },
            ),
            ("copies, a peer's invalidation", Self { copies: 2, writes: vec![], peer_writes: vec![1], ..base.clone() }),
            (
                "one keeps copies, the other doesn't",
                Self { copies: 1, faults: Faults { k_goes: 1, l_goes: 1, ..none }, ..base },
            ),
            ("a tag, two readers", tagged.clone()),
            (
                "a tag, late and repeated",
                Self { readers: 1, faults: Faults { timeouts: 1, repeats: 1, ..none }, ..tagged.clone() },
            ),
            ("tags that change, refresh", Self { refresh: true, tags: Tagging::Any, ..tagged.clone() }),
            ("nested", Self { readers: 1, outer: 1, ..tagged.clone() }),
            ("a drop by a param", Self { readers: 1, outer: 1, ..Self::dropped(&tagged) }),
            (
                "buckets",
                Self { buckets: true, other_writes: vec![1], faults: Faults { bucket_goes: 1, ..none }, ..one.clone() },
            ),
            ("followed", Self { faults: Faults { follower_crashes: 1, ..none }, ..followed.clone() }),
            ("two followers of the binlog", Self { processes: 2, ..followed.clone() }),
            (
                "a primary of a cluster goes back",
                Self { cluster: true, faults: Faults { goes_back: 1, ..none }, ..followed.clone() },
            ),
            ("Redis goes back", Self { faults: Faults { goes_back: 1, ..none }, ..followed.clone() }),
            ("schemes", Self { schemes: true, buckets: true, faults: Faults { scheme_goes: 1, ..none }, ..followed }),
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
            ("each fault", Self { faults: each, ..base.clone() }),
            ("each fault, a follower", Self { followers: 1, faults: each, ..base.clone() }),
            ("a timeout and gone, twice", Self { faults: twice, ..base.clone() }),
            ("two followers, late and gone", Self { followers: 2, faults: late_and_gone, ..base.clone() }),
            (
                "two calls, a timeout, K goes",
                Self { further_calls: 1, faults: Faults { timeouts: 1, k_goes: 1, ..none }, ..base.clone() },
            ),
            ("two writes, late and gone", Self { writes: vec![2], faults: late_and_gone, ..base.clone() }),
            ("two writers, late", Self { writes: vec![1, 1], faults: late, ..base.clone() }),
            ("three readers, a follower, late", Self { readers: 3, followers: 1, faults: late, ..base.clone() }),
            (
                "three readers, two writes, a timeout",
                Self { readers: 3, writes: vec![2], faults: Faults { timeouts: 1, ..none }, ..base.clone() },
            ),
            ("refresh, each fault", Self { refresh: true, faults: each, ..base.clone() }),
            (
                "refresh, a follower, two calls, late",
                Self { refresh: true, followers: 1, further_calls: 1, faults: late, ..base.clone() },
            ),
            (
                "copies, each fault, nothing repeated",
                Self { copies: 2, faults: Faults { repeats: 0, s_goes: 1, ..each }, ..base.clone() },
            ),
            (
                "copies, late, a failed read",
                Self { copies: 2, faults: Faults { s_goes: 1, failed_reads: 1, ..late }, ..base },
            ),
            (
                "copies, a peer's invalidation, a timeout, gone",
                Self { copies: 2, faults: Faults { repeats: 0, s_goes: 1, ..late_and_gone }, ..peers.clone() },
            ),
            (
                "one keeps copies, a peer's invalidation, likewise",
                Self { copies: 1, faults: Faults { repeats: 0, s_goes: 1, ..late_and_gone }, ..peers.clone() },
            ),
            (
                "copies, our invalidation and a peer's, a timeout",
                Self { copies: 2, writes: vec![1], faults: Faults { timeouts: 1, ..none }, ..peers.clone() },
            ),
            (
                "copies, two calls, a peer's invalidation, late",
                Self { copies: 2, further_calls: 1, faults: late, ..peers.clone() },
            ),
            (
                "copies, refresh, a peer's invalidation, late",
                Self { copies: 2, refresh: true, faults: Faults { failed_reads: 1, peer_fills: 1, ..late }, ..peers },
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
