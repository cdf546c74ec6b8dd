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
}
