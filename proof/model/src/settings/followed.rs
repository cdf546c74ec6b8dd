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
            ("buckets, gone", base.with(gone)),
            ("buckets, late and repeated", Self { readers: 1, ..base.with(late) }),
            (
                "buckets, two writes, the bucket goes",
                Self {
                    tag_writes: vec![2],
                    other_writes: Vec::new(),
                    ..base.with(Faults { bucket_goes: 1, repeats: 1, ..none })
                },
            ),
            (
                "buckets, two writers, late",
                Self { readers: 1, tag_writes: vec![1, 1], ..base.with(Faults { timeouts: 1, ..none }) },
            ),
            ("buckets, nested, a hit, late", hit.with(late)),
            ("buckets, nested, gone", Self { readers: 1, ..hit.with(Faults { k_goes: 1, bucket_goes: 1, ..none }) }),
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
            ("followed, two readers, a crash", Self { readers: 2, ..one.with(crash) }),
            ("followed, three events, a crash", mixed.with(crash)),
            ("followed, late, two crashes", one.with(Faults { follower_crashes: 2, ..late })),
            ("followed, two events, a crash, a timeout", two.with(Faults { timeouts: 1, ..crash })),
            ("followed, two events, a crash, gone", two.with(Faults { follower_crashes: 1, ..gone })),
            ("followed, a caller follows, a crash", Self { followers: 1, further_calls: 1, ..one.with(crash) }),
            (
                "followed, copies, a failed read",
                Self { copies: 1, further_calls: 1, ..one.with(Faults { failed_reads: 1, k_goes: 1, ..crash }) },
            ),
            ("followed, tags that change, refresh", Self { tags: Tagging::Any, refresh: true, ..one.with(crash) }),
            ("two binlog followers, no lease, late", Self { processes: 2, ..one.with(late) }),
            ("two binlog followers, no lease, two events, a crash", Self { processes: 2, ..two.with(crash) }),
            ("Redis goes back, two readers", Self { readers: 2, ..one.with(back) }),
            ("Redis goes back, a crash", two.with(Faults { follower_crashes: 1, ..back })),
            ("Redis goes back, two calls", Self { further_calls: 1, ..one.with(back) }),
            ("Redis goes back, three events", mixed.with(back)),
            ("Redis goes back twice, late", one.with(Faults { goes_back: 2, ..late })),
            (
                "a primary goes back, a crash",
                Self { cluster: true, ..one.with(Faults { follower_crashes: 1, ..back }) },
            ),
            ("a primary goes back, two events", Self { cluster: true, ..two.with(back) }),
            ("a primary goes back, a timeout", Self { cluster: true, ..one.with(Faults { timeouts: 1, ..back }) }),
            ("primaries go back twice", Self { cluster: true, ..one.with(Faults { goes_back: 2, ..none }) }),
            ("schemes, two readers, a crash", Self { readers: 2, ..schemes(&one).with(crash) }),
            ("schemes, late", schemes(&one).with(late)),
            (
                "schemes, two events, gone",
                schemes(&two).with(Faults { bucket_goes: 1, scheme_goes: 1, k_goes: 1, ..none }),
            ),
            (
                "schemes, another tag, gone",
                Self {
                    other_writes: vec![1],
                    ..schemes(&one).with(Faults { bucket_goes: 1, scheme_goes: 1, k_goes: 1, ..none })
                },
            ),
            (
                "schemes that Redis has lost, two calls, a crash",
                Self { remembered: true, further_calls: 1, ..schemes(&two).with(crash) },
            ),
            ("schemes, Redis goes back, two calls", Self { further_calls: 1, ..schemes(&one).with(back) }),
            ("schemes, Redis goes back, two readers", Self { readers: 2, ..schemes(&one).with(back) }),
            ("schemes, Redis goes back, nested", Self { outer: 1, ..schemes(&one).with(back) }),
        ]
    }

    /// Returns settings with too many runs to try them all: more than 40 million states.
    #[must_use]
    pub fn endless() -> Vec<(&'static str, Self)> {
        let one = Self::followed(&Self { readers: 1, tags: Tagging::Ours, ..Self::default() }, vec![Change::Ours]);
        let back = Faults { goes_back: 1, ..Faults::default() };
        vec![("Redis goes back, two binlog followers", Self { processes: 2, ..one.with(back) })]
    }
}
