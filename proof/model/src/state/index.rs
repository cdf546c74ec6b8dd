//! The clock, the index of one tag with its scripts, and a table's bucket and schemes.

use std::fmt;

use crate::part::Part;

/// An instant of the clock. Only invalidations and registrations of a scheme move the clock, so all
/// times between two are one instant.
pub(crate) type Moment = u8;

/// Distinguishes registrations of one entry: in Redis, the time until which it may live. 0 if none.
pub(crate) type Score = u8;

/// One score for each entry.
pub(crate) type Scores = [Score; 3];

/// The tags of an entry, as its filler knows them, and as they lie beside the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tags {
    /// No tags. Beside an entry: there is no such key.
    None,
    /// Tags other than the one that is invalidated.
    Others,
    /// The tag that is invalidated. An invalidation after `since` makes the entry stale.
    Ours { since: Moment },
}

/// The clock, and T: the epoch and the registrations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Index {
    pub(crate) clock: Moment,
    /// The moment when the last invalidation began, as far as T remembers.
    pub(crate) epoch: Moment,
    /// The last epoch that T has forgotten. T forgets late: no fill may have an earlier moment.
    pub(crate) forgotten: Moment,
    pub(crate) scores: Scores,
    /// The keys beside the index, for each table.
    pub(crate) table: Table,
}

impl Index {
    pub(crate) fn new(table: Table) -> Self {
        Self { clock: 0, epoch: 0, forgotten: 0, scores: Scores::default(), table }
    }

    /// Returns whether there is a key T.
    fn exists(&self) -> bool {
        self.epoch > 0 || self.scores != Scores::default()
    }

    pub(crate) fn tick(&mut self) -> Moment {
        self.clock += 1;
        self.clock
    }

    /// Returns whether a value that was read at `since` may have been invalidated by now.
    pub(crate) fn refuses(&self, since: Moment, without: Option<Part>) -> bool {
        let too_old = since < self.forgotten && without != Some(Part::EpochKept);
        without != Some(Part::Epoch) && (since < self.epoch || too_old)
    }

    /// Registers an entry. Returns whether nothing was invalidated since.
    pub(crate) fn track(&mut self, entry: u8, score: Score, since: Moment, without: Option<Part>) -> bool {
        self.scores[usize::from(entry)] = score;
        without == Some(Part::EpochLast) || !self.refuses(since, without)
    }

    /// Sets the epoch, and returns the registrations. Where there are buckets, it makes no T.
    pub(crate) fn bump(&mut self, moment: Moment) -> Scores {
        if self.exists() || !self.table.has_buckets {
            self.epoch = self.epoch.max(moment);
        }
        self.scores
    }

    /// Registers the scheme, if it isn't. A later claim has a later moment.
    pub(crate) fn register(&mut self) {
        if self.table.scheme.is_none() {
            self.table.scheme = Some(self.tick());
        }
    }

    /// Removes the listed registrations that were not renewed since.
    pub(crate) fn prune(&mut self, listed: Scores, without: Option<Part>) {
        for (score, listed) in self.scores.iter_mut().zip(listed) {
            if listed > 0 && (*score == listed || without == Some(Part::PruneScores)) {
                *score = 0;
            }
        }
    }

    pub(crate) fn forget(&mut self) {
        self.forgotten = self.forgotten.max(self.epoch);
        self.epoch = 0;
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("-"),
            Self::Others => f.pad("u"),
            Self::Ours { since } => f.pad(&format!("t@{since}")),
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clock={} T={{epoch {}", self.clock, self.epoch)?;
        for (name, score) in ["I", "O", "P"].iter().zip(self.scores).filter(|(_, score)| *score > 0) {
            write!(f, ", {name}:{score}")?;
        }
        f.write_str("}")?;
        if self.table.has_buckets {
            write!(f, " bucket={}", self.table.bucket)?;
        }
        match self.table.scheme {
            Some(since) => write!(f, " scheme@{since}"),
            None if self.table.has_schemes => f.write_str(" scheme=-"),
            None => Ok(()),
        }
    }
}

/// The bucket of our tag, which another tag shares, and the registration of our tag's scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Table {
    pub(crate) has_buckets: bool,
    /// The moment of the last invalidation of a tag in the bucket, as far as it is remembered.
    pub(crate) bucket: Moment,
    /// The last moment that the bucket has forgotten. It forgets late, as T does its epoch.
    pub(crate) forgotten: Moment,
    pub(crate) has_schemes: bool,
    /// The moment since which the scheme is registered, without a gap.
    pub(crate) scheme: Option<Moment>,
}

impl Table {
    pub(crate) fn new(has_buckets: bool, has_schemes: bool) -> Self {
        Self { has_buckets, bucket: 0, forgotten: 0, has_schemes, scheme: None }
    }

    /// Returns whether a fill has anything to ask here.
    pub(crate) fn is_asked(&self) -> bool {
        self.has_buckets || self.has_schemes
    }

    /// Notes an invalidation in the bucket.
    pub(crate) fn mark(&mut self, moment: Moment, without: Option<Part>) {
        match without {
            Some(Part::BucketWritten) => {}
            Some(Part::BucketNewest) => self.bucket = moment,
            _ => self.bucket = self.bucket.max(moment),
        }
    }

    /// Returns whether a value that was read at `since` may be stored: no tag in the bucket was
    /// invalidated since, and a follower of the binlog has known the scheme since.
    pub(crate) fn admits(&self, since: Moment, without: Option<Part>) -> bool {
        let forgotten = if without == Some(Part::BucketKept) { 0 } else { self.forgotten };
        let known = match (self.scheme, without) {
            _ if !self.has_schemes => true,
            (None, _) => without == Some(Part::SchemeThere),
            (Some(registered), _) => registered <= since || without == Some(Part::SchemeMoment),
        };
        since >= self.bucket.max(forgotten) && known
    }

    pub(crate) fn forget_bucket(&mut self) {
        self.forgotten = self.forgotten.max(self.bucket);
        self.bucket = 0;
    }
}
