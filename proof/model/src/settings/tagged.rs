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
            ("a tag, late and repeated, two readers", base.with(late)),
            ("a tag, two writes, gone", Self { tag_writes: vec![2], ..base.with(gone_and_forgotten) }),
            ("a tag, two writers, gone", Self { tag_writes: vec![1, 1], ..base.with(gone) }),
            ("a tag, two writers, late", Self { readers: 1, tag_writes: vec![1, 1], ..base.with(late) }),
            ("a tag, a follower, gone", Self { followers: 1, ..base.with(gone_and_forgotten) }),
            ("a tag, a scan beside, K goes", Self { writes: vec![1], ..base.with(Faults { k_goes: 1, ..none }) }),
            ("tags that change, refresh, gone", Self { refresh: true, ..any.with(gone) }),
            ("tags that change, refresh, two writes", Self { refresh: true, tag_writes: vec![2], ..any.clone() }),
            (
                "tags that change, refresh, one reader, each fault",
                Self {
                    readers: 1,
                    refresh: true,
                    ..any.with(Faults {
                        crashes: 1,
                        failed_reads: 1,
                        peer_fills: 1,
                        timeouts: 1,
                        repeats: 1,
                        ..gone_and_forgotten
                    })
                },
            ),
            (
                "tags that change, copies, a failed read",
                Self { copies: 2, ..any.with(Faults { failed_reads: 1, ..copies }) },
            ),
            (
                "tags that change, one keeps copies, G goes",
                Self { copies: 1, ..any.with(Faults { g_goes: 1, ..copies }) },
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
            ("nested, late and repeated", base.with(late)),
            ("nested, late and gone", base.with(Faults { repeats: 1, timeouts: 1, ..gone })),
            ("nested, gone, a failed read", base.with(Faults { l_goes: 1, epoch_goes: 1, failed_reads: 1, ..gone })),
            ("nested, refresh, two writes", Self { refresh: true, tag_writes: vec![2], ..base.clone() }),
            ("nested, two writers", Self { tag_writes: vec![1, 1], ..base.clone() }),
            (
                "nested, a hit, two writers, a timeout, gone",
                Self { tag_writes: vec![1, 1], ..hit.with(Faults { timeouts: 1, ..gone }) },
            ),
            (
                "nested, a hit, two writers, late, K goes",
                Self { tag_writes: vec![1, 1], ..hit.with(Faults { k_goes: 1, ..late }) },
            ),
            ("nested, two outer readers, K goes", Self { outer: 2, ..base.with(Faults { k_goes: 1, ..none }) }),
            ("nested, a hit, two outer readers, late", Self { outer: 2, ..hit.with(late) }),
            (
                "nested, tags that change, refresh, a timeout",
                Self { tags: Tagging::Any, refresh: true, ..base.with(timeout) },
            ),
            (
                "nested, tags that change, copies",
                Self { tags: Tagging::Any, copies: 1, ..base.with(Faults { failed_reads: 1, peer_fills: 1, ..gone }) },
            ),
            ("a drop by a param, late and gone", Self::dropped(&base).with(Faults { timeouts: 1, ..gone })),
            ("a drop by a param, a hit, late", Self::dropped(&hit).with(late)),
            ("a drop by a param, two drops", Self { drops: vec![2], ..Self::dropped(&base) }),
            ("a drop by a param, two writers, a hit", Self { drops: vec![1, 1], ..Self::dropped(&hit) }),
            (
                "a drop by a param, nested twice, a hit, K goes",
                Self { outmost: 1, ..Self::dropped(&hit).with(Faults { k_goes: 1, ..none }) },
            ),
            ("nested twice, a hit, gone", Self { outmost: 1, ..hit.with(gone) }),
            ("nested twice, a hit, two writes", Self { outmost: 1, tag_writes: vec![2], ..hit.clone() }),
            ("nested twice, a hit, two writers", Self { outmost: 1, tag_writes: vec![1, 1], ..hit }),
            ("nested twice", Self { outmost: 1, ..base }),
        ]
    }
}
