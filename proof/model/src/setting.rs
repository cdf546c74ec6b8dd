//! The participants of a run, and the faults in it.

/// The participants. Every number bounds the run; within the bounds each order of steps is tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Setting {
    /// Processes that read through the cache, each with one caller that leads.
    pub readers: u8,
    /// Calls of each reader beyond the first. Default: 0.
    pub further_calls: u8,
    /// Callers of the first reader's process that may follow its flight.
    pub followers: u8,
    /// How often each writer commits and invalidates.
    pub writes: Vec<u8>,
    /// The same for peers. They delete each key that SCAN returns, K before S or S before K.
    pub peer_writes: Vec<u8>,
    /// How many readers, from the first, keep copies. If any does, a run may also begin with a copy
    /// in S, whose value K has or had.
    pub copies: u8,
    /// A run may also begin with a value in K, and readers may refresh a value before it expires.
    pub refresh: bool,
    /// The tags that an entry may get from the row.
    pub tags: Tagging,
    /// How often each writer that invalidates by tag commits and invalidates.
    pub tag_writes: Vec<u8>,
    /// How often each writer that drops by a param commits and drops. First it drops I by scan,
    /// then by index each entry with that tag. I has no tag, and every entry above has:
    /// [`Tagging::Inherited`].
    pub drops: Vec<u8>,
    /// Readers of a second entry, O, which is computed from the first, I. If any, a run may begin with
    /// a value in I, and if reads fail, with a copy of I that outer readers take.
    pub outer: u8,
    /// Readers of a third entry, P, which is computed from O.
    pub outmost: u8,
    /// The faults, each with its highest number.
    pub faults: Faults,
}

/// The highest number of each fault in one run. Late commands have no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// A caller stops waiting for a reply. Its command may still be executed, at any later time.
    pub timeouts: u8,
    /// A fill, release or UNLINK is executed, and once more at any later time.
    pub repeats: u8,
    /// A claim is executed, and once more later. **The protocol doesn't bear it**: drivers must not
    /// resend.
    pub repeated_claims: u8,
    /// K expires, is evicted, or is deleted by somebody else.
    pub k_goes: u8,
    /// L expires or is evicted.
    pub l_goes: u8,
    /// S expires, is evicted, or is deleted by somebody else.
    pub s_goes: u8,
    /// A reader dies at any step.
    pub crashes: u8,
    /// A read of the database fails, and the claim is released. A caller with copies gets the copy.
    pub failed_reads: u8,
    /// A peer fills the row's newest version into K, by a plain SET.
    pub peer_fills: u8,
    /// G expires or is evicted.
    pub g_goes: u8,
    /// T forgets its epoch, and does so late: a fill with an earlier moment is refused as too old.
    pub epoch_goes: u8,
}

/// Which tags an entry may get from the row. They become known as it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Tagging {
    /// There are no tags.
    #[default]
    None,
    /// The one that is invalidated.
    Ours,
    /// None, another one, or the one that is invalidated: each time anew.
    Any,
    /// The first entry gets none. Entries computed from it get ours, from their own moment on.
    Inherited,
}

impl Setting {
    /// Returns small settings, each with a few faults. All of them take seconds.
    #[must_use]
    pub fn small() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 2, writes: vec![1], ..Self::default() };
        let tagged = Self { tags: Tagging::Ours, writes: Vec::new(), tag_writes: vec![1], ..base.clone() };
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
        ]
    }

    /// Returns the setting with a drop by a param instead of an invalidation by tag.
    pub(crate) fn dropped(tagged: &Self) -> Self {
        Self { tags: Tagging::Inherited, tag_writes: Vec::new(), drops: vec![1], ..tagged.clone() }
    }

    /// Returns settings that the protocol doesn't bear. Each counterexample is a rule for drivers.
    #[must_use]
    pub fn beyond() -> Vec<(&'static str, Self)> {
        let base = Self { readers: 1, writes: vec![1], ..Self::default() };
        let faults = Faults { repeated_claims: 1, ..Faults::default() };
        vec![("a claim executed twice with one token", Self { faults, ..base })]
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
        let twice = Faults { timeouts: 2, repeats: 2, k_goes: 2, l_goes: 1, ..none };
        vec![
            ("each fault", Self { faults: each, ..base.clone() }),
            ("each fault, a follower", Self { followers: 1, faults: each, ..base.clone() }),
            ("late and gone, twice", Self { faults: twice, ..base.clone() }),
            ("two followers, late and gone", Self { followers: 2, faults: late_and_gone, ..base.clone() }),
            ("two calls, late and gone", Self { further_calls: 1, faults: late_and_gone, ..base.clone() }),
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
}
