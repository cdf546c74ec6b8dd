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
    /// How often each writer of another tag commits and invalidates. The tag shares our bucket.
    pub other_writes: Vec<u8>,
    /// The change of each event of the binlog. Its writers don't invalidate. No others write.
    pub log: Vec<Change>,
    /// Processes that follow the binlog and invalidate. More than one need no lease.
    pub processes: u8,
    /// Redis is a cluster of two primaries: the entries, the index and the position may lie apart,
    /// and one primary at a time goes back.
    pub cluster: bool,
    /// An invalidation writes a bucket, and makes no index for a tag that has none.
    pub buckets: bool,
    /// Readers register the scheme of the tag, and followers of the binlog know the tag from there.
    pub schemes: bool,
    /// The first reader's process remembers a registration that Redis has lost, as by FLUSHALL.
    pub remembered: bool,
    /// Readers of a second entry, O, which is computed from the first, I. If any, a run may begin
    /// with a value in I, and if reads fail, with a copy of I that outer readers take.
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
    /// A bucket expires, and does so as late.
    pub bucket_goes: u8,
    /// The registration of the scheme expires, when no entry can be left that was filled under it.
    pub scheme_goes: u8,
    /// A follower of the binlog dies at any step. It starts again.
    pub follower_crashes: u8,
    /// Redis goes back to an earlier state of all its keys: a restart from a snapshot, or the
    /// promotion of a replica that lags behind. All connections end. In a cluster it is one
    /// primary, and the commands on their way follow the slots to the new one (MOVED).
    pub goes_back: u8,
}

/// The change of an event of the binlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The row that our tag is about.
    Ours,
    /// Another row.
    Other,
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
    /// Returns the setting with these faults.
    pub(crate) fn with(&self, faults: Faults) -> Self {
        Self { faults, ..self.clone() }
    }

    /// Returns the setting with a drop by a param instead of an invalidation by tag.
    pub(crate) fn dropped(tagged: &Self) -> Self {
        Self { tags: Tagging::Inherited, tag_writes: Vec::new(), drops: vec![1], ..tagged.clone() }
    }

    /// Returns the setting with a follower of the binlog, whose events change this.
    pub(crate) fn followed(tagged: &Self, log: Vec<Change>) -> Self {
        Self { tag_writes: Vec::new(), log, processes: 1, ..tagged.clone() }
    }
}
