//! The settings of `just model` with buckets, and with followers of the binlog.

use crate::setting::{Change, Faults, Setting, Tagging};

impl Setting {
    /// Returns the settings of `just model` with buckets: minutes too.
    #[must_use]
    pub fn with_buckets() -> Vec<(&'static str, Self)> {
        let base = Self {
            readers: 2,
            tags: Tagging::Ours,
            tag_writes: vec![1],
            other_writes: vec![1],
            buckets: true,
            ..Self::default()
        };
        let none = Faults::default();
        let late = Faults { timeouts: 1, repeats: 1, ..none };
        let gone = Faults { k_goes: 1, l_goes: 1, g_goes: 1, epoch_goes: 1, bucket_goes: 1, ..none };
        let hit = Self { readers: 0, outer: 1, other_writes: Vec::new(), ..base.clone() };
        vec![
            ("buckets, gone", Self { faults: gone, ..base.clone() }),
            ("buckets, late and repeated", Self { readers: 1, faults: late, ..base.clone() }),
            (
                "buckets, two writes, the bucket goes",
                Self {
                    tag_writes: vec![2],
                    other_writes: Vec::new(),
                    faults: Faults { bucket_goes: 1, repeats: 1, ..none },
                    ..base.clone()
                },
            ),
            (
                "buckets, two writers, late",
                Self { readers: 1, tag_writes: vec![1, 1], faults: Faults { timeouts: 1, ..none }, ..base.clone() },
            ),
            ("buckets, nested, a hit, late", Self { faults: late, ..hit.clone() }),
            ("buckets, nested, gone", Self { readers: 1, faults: Faults { k_goes: 1, bucket_goes: 1, ..none }, ..hit }),
            (
                "buckets, tags that change, refresh",
                Self { tags: Tagging::Any, refresh: true, other_writes: Vec::new(), ..base },
            ),
        ]
    }

    /// Returns the settings of `just model` with followers of the binlog: minutes too.
    #[must_use]
    pub fn with_followers() -> Vec<(&'static str, Self)> {
        let tagged = Self { readers: 1, tags: Tagging::Ours, ..Self::default() };
        let one = Self::followed(&tagged, vec![Change::Ours]);
        let two = Self::followed(&tagged, vec![Change::Ours, Change::Ours]);
        let mixed = Self::followed(&tagged, vec![Change::Ours, Change::Other, Change::Ours]);
        let none = Faults::default();
        let late = Faults { timeouts: 1, repeats: 1, ..none };
        let gone = Faults { k_goes: 1, l_goes: 1, epoch_goes: 1, ..none };
        let crash = Faults { follower_crashes: 1, ..none };
        let back = Faults { goes_back: 1, ..none };
        let schemes = |base: &Self| Self { schemes: true, buckets: true, ..base.clone() };
        vec![
            ("followed, two readers, a crash", Self { readers: 2, faults: crash, ..one.clone() }),
            ("followed, three events, a crash", Self { faults: crash, ..mixed.clone() }),
            ("followed, late, two crashes", Self { faults: Faults { follower_crashes: 2, ..late }, ..one.clone() }),
            (
                "followed, two events, a crash, a timeout",
                Self { faults: Faults { timeouts: 1, ..crash }, ..two.clone() },
            ),
            (
                "followed, two events, a crash, gone",
                Self { faults: Faults { follower_crashes: 1, ..gone }, ..two.clone() },
            ),
            (
                "followed, a caller follows, a crash",
                Self { followers: 1, further_calls: 1, faults: crash, ..one.clone() },
            ),
            (
                "followed, copies, a failed read",
                Self {
                    copies: 1,
                    further_calls: 1,
                    faults: Faults { failed_reads: 1, k_goes: 1, ..crash },
                    ..one.clone()
                },
            ),
            (
                "followed, tags that change, refresh",
                Self { tags: Tagging::Any, refresh: true, faults: crash, ..one.clone() },
            ),
            ("two binlog followers, no lease, late", Self { processes: 2, faults: late, ..one.clone() }),
            (
                "two binlog followers, no lease, two events, a crash",
                Self { processes: 2, faults: crash, ..two.clone() },
            ),
            ("Redis goes back, two readers", Self { readers: 2, faults: back, ..one.clone() }),
            ("Redis goes back, a crash", Self { faults: Faults { follower_crashes: 1, ..back }, ..two.clone() }),
            ("Redis goes back, two calls", Self { further_calls: 1, faults: back, ..one.clone() }),
            ("Redis goes back, three events", Self { faults: back, ..mixed }),
            ("Redis goes back twice, late", Self { faults: Faults { goes_back: 2, ..late }, ..one.clone() }),
            (
                "a primary goes back, a crash",
                Self { cluster: true, faults: Faults { follower_crashes: 1, ..back }, ..one.clone() },
            ),
            ("a primary goes back, two events", Self { cluster: true, faults: back, ..two.clone() }),
            (
                "a primary goes back, a timeout",
                Self { cluster: true, faults: Faults { timeouts: 1, ..back }, ..one.clone() },
            ),
            ("primaries go back twice", Self { cluster: true, faults: Faults { goes_back: 2, ..none }, ..one.clone() }),
            ("schemes, two readers, a crash", Self { readers: 2, faults: crash, ..schemes(&one) }),
            ("schemes, late", Self { faults: late, ..schemes(&one) }),
            (
                "schemes, two events, gone",
                Self { faults: Faults { bucket_goes: 1, scheme_goes: 1, k_goes: 1, ..none }, ..schemes(&two) },
            ),
            (
                "schemes, another tag, gone",
                Self {
                    other_writes: vec![1],
                    faults: Faults { bucket_goes: 1, scheme_goes: 1, k_goes: 1, ..none },
                    ..schemes(&one)
                },
            ),
            (
                "schemes that Redis has lost, two calls, a crash",
                Self { remembered: true, further_calls: 1, faults: crash, ..schemes(&two) },
            ),
            ("schemes, Redis goes back, two calls", Self { further_calls: 1, faults: back, ..schemes(&one) }),
            ("schemes, Redis goes back, two readers", Self { readers: 2, faults: back, ..schemes(&one) }),
            ("schemes, Redis goes back, nested", Self { outer: 1, faults: back, ..schemes(&one) }),
        ]
    }

    /// Returns settings with too many runs to try them all: more than 40 million states.
    #[must_use]
    pub fn endless() -> Vec<(&'static str, Self)> {
        let one = Self::followed(&Self { readers: 1, tags: Tagging::Ours, ..Self::default() }, vec![Change::Ours]);
        let back = Faults { goes_back: 1, ..Faults::default() };
        vec![("Redis goes back, two binlog followers", Self { processes: 2, faults: back, ..one })]
    }
}
