//! The keys in Redis for a table, beside the indexes of its tags: a bucket, and the schemes.

use crate::part::Part;
use crate::state::moment::Moment;

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
