//! The settings of `just model` with tags.

use crate::setting::{Faults, Setting, Tagging};

impl Setting {
    /// Returns the settings of `just model` with tags: minutes too.
    #[must_use]
    pub fn tagged() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 2, tags: Tagging::Ours, tag_writes: vec![1], ..Self::default() };
        let any = Self { tags: Tagging::Any, ..base.clone() };
        let none = Faults::default();
        let late = Faults { timeouts: 1, repeats: 1, ..none };
        let gone = Faults { k_goes: 1, l_goes: 1, g_goes: 1, ..none };
        let gone_and_forgotten = Faults { epoch_goes: 1, ..gone };
        let copies = Faults { k_goes: 1, s_goes: 1, peer_fills: 1, ..none };
        vec![
            ("a tag, late and repeated, two readers", Self { faults: late, ..base.clone() }),
            ("a tag, two writes, gone", Self { tag_writes: vec![2], faults: gone_and_forgotten, ..base.clone() }),
            ("a tag, two writers, gone", Self { tag_writes: vec![1, 1], faults: gone, ..base.clone() }),
            ("a tag, two writers, late", Self { readers: 1, tag_writes: vec![1, 1], faults: late, ..base.clone() }),
            ("a tag, a follower, gone", Self { followers: 1, faults: gone_and_forgotten, ..base.clone() }),
            (
                "a tag, a scan beside, K goes",
                Self { writes: vec![1], faults: Faults { k_goes: 1, ..none }, ..base.clone() },
            ),
            ("tags that change, refresh, gone", Self { refresh: true, faults: gone, ..any.clone() }),
            ("tags that change, refresh, two writes", Self { refresh: true, tag_writes: vec![2], ..any.clone() }),
            (
                "tags that change, refresh, one reader, each fault",
                Self {
                    readers: 1,
                    refresh: true,
                    faults: Faults {
                        crashes: 1,
                        failed_reads: 1,
                        peer_fills: 1,
                        timeouts: 1,
                        repeats: 1,
                        ..gone_and_forgotten
                    },
                    ..any.clone()
                },
            ),
            (
                "tags that change, copies, a failed read",
                Self { copies: 2, faults: Faults { failed_reads: 1, ..copies }, ..any.clone() },
            ),
            (
                "tags that change, one keeps copies, G goes",
                Self { copies: 1, faults: Faults { g_goes: 1, ..copies }, ..any },
            ),
        ]
        .into_iter()
        .chain(Self::nested(&base))
        .collect()
    }

    /// Returns settings with entries that are computed from another, or from one that is.
    fn nested(tagged: &Self) -> Vec<(&'static str, Self)> {
        let base = Self { readers: 1, outer: 1, ..tagged.clone() };
        // I exists from the start.
        let hit = Self { readers: 0, ..base.clone() };
        let none = Faults::default();
        let timeout = Faults { timeouts: 1, ..none };
        let late = Faults { repeats: 1, ..timeout };
        let gone = Faults { k_goes: 1, g_goes: 1, ..none };
        vec![
            ("nested, late and repeated", Self { faults: late, ..base.clone() }),
            ("nested, late and gone", Self { faults: Faults { repeats: 1, timeouts: 1, ..gone }, ..base.clone() }),
            (
                "nested, gone, a failed read",
                Self { faults: Faults { l_goes: 1, epoch_goes: 1, failed_reads: 1, ..gone }, ..base.clone() },
            ),
            ("nested, refresh, two writes", Self { refresh: true, tag_writes: vec![2], ..base.clone() }),
            ("nested, two writers", Self { tag_writes: vec![1, 1], ..base.clone() }),
            (
                "nested, a hit, two writers, a timeout, gone",
                Self { tag_writes: vec![1, 1], faults: Faults { timeouts: 1, ..gone }, ..hit.clone() },
            ),
            (
                "nested, a hit, two writers, late, K goes",
                Self { tag_writes: vec![1, 1], faults: Faults { k_goes: 1, ..late }, ..hit.clone() },
            ),
            (
                "nested, two outer readers, K goes",
                Self { outer: 2, faults: Faults { k_goes: 1, ..none }, ..base.clone() },
            ),
            ("nested, a hit, two outer readers, late", Self { outer: 2, faults: late, ..hit.clone() }),
            (
                "nested, tags that change, refresh, a timeout",
                Self { tags: Tagging::Any, refresh: true, faults: timeout, ..base.clone() },
            ),
            (
                "nested, tags that change, copies",
                Self {
                    tags: Tagging::Any,
                    faults: Faults { failed_reads: 1, peer_fills: 1, ..gone },
                    copies: 1,
                    ..base.clone()
                },
            ),
            (
                "a drop by a param, late and gone",
                Self { faults: Faults { timeouts: 1, ..gone }, ..Self::dropped(&base) },
            ),
            ("a drop by a param, a hit, late", Self { faults: late, ..Self::dropped(&hit) }),
            ("a drop by a param, two drops", Self { drops: vec![2], ..Self::dropped(&base) }),
            ("a drop by a param, two writers, a hit", Self { drops: vec![1, 1], ..Self::dropped(&hit) }),
            (
                "a drop by a param, nested twice, a hit, K goes",
                Self { outmost: 1, faults: Faults { k_goes: 1, ..none }, ..Self::dropped(&hit) },
            ),
            ("nested twice, a hit, gone", Self { outmost: 1, faults: gone, ..hit.clone() }),
            ("nested twice, a hit, two writes", Self { outmost: 1, tag_writes: vec![2], ..hit.clone() }),
            ("nested twice, a hit, two writers", Self { outmost: 1, tag_writes: vec![1, 1], ..hit }),
            ("nested twice", Self { outmost: 1, ..base }),
        ]
    }
}
