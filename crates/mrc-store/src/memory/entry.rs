//! The states of one entry, plain or bounded, and the steps of the protocol between them.
//!
//! | step | needs | leaves |
//! |---|---|---|
//! | claim | no value that is a hit, and no other lease | an empty text, or a value that is being refreshed; a lease |
//! | fill | the caller's lease, and the rest of its claim | the value; no lease |
//! | release | the caller's lease | the value, if there was one; no lease |
//! | put | nothing | the value, without a copy; the lease stays |
//! | remove, invalidate | nothing, or the tags | neither value nor claim; the lease stays |
//! | expire | the time | the parts that haven't expired |
//!
//! A lease that is left over allows nothing: a fill needs the claim too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Tag;
use tokio::time::Instant;

use crate::store::{Claim, LONGEST, Terms, Token};
use crate::tags::{Found, Tags};

/// The bytes of a tag besides its name, including its place in the index.
const OVERHEAD_OF_TAG: usize = 150;

/// The parts of one entry. Each expires by itself, because in Redis each is a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) text: Option<Text>,
    pub(super) lease: Option<Lease>,
    pub(super) copy: Option<Text>,
}

#[derive(Debug, Clone)]
pub(super) struct Text {
    /// The value, which is empty for a claim.
    pub(super) value: Bytes,
    tags: Arc<Tags>,
    /// Whether a refresh is in flight. In Redis a space at the end marks it.
    refreshing: bool,
    pub(super) ends: Instant,
}

#[derive(Debug, Clone)]
pub(super) struct Lease {
    token: Token,
    pub(super) ends: Instant,
}

impl Text {
    pub(super) fn new(value: Bytes, tags: Arc<Tags>, ends: Instant) -> Self {
        Self { value, tags, refreshing: false, ends }
    }

    fn claim(ends: Instant) -> Self {
        Self::new(Bytes::new(), Arc::default(), ends)
    }

    pub(super) fn is_claim(&self) -> bool {
        self.value.is_empty()
    }

    /// Returns the rest of the life, which ends at `until` at the latest.
    pub(super) fn left(&self, until: Option<Instant>, now: Instant) -> Duration {
        until.map_or(self.ends, |until| until.min(self.ends)) - now
    }

    pub(super) fn weight(&self) -> usize {
        let tags = self.tags.iter().map(|(tag, _)| OVERHEAD_OF_TAG + tag.as_str().len());
        self.value.len() + tags.sum::<usize>()
    }

    /// Returns the value and its tags. Returns `None` if this is a claim.
    pub(super) fn found(self) -> Option<Found> {
        let tags = Arc::unwrap_or_clone(self.tags);
        (!self.value.is_empty()).then_some(Found { value: self.value, tags: Some(tags) })
    }

    fn has(&self, tags: &[Tag]) -> bool {
        tags.iter().all(|tag| self.tags.since(tag.as_str()).is_some())
    }
}

impl Slot {
    pub(super) fn expire(mut self, now: Instant) -> Self {
        self.text.take_if(|text| text.ends <= now);
        self.lease.take_if(|lease| lease.ends <= now);
        self.copy.take_if(|copy| copy.ends <= now);
        self
    }

    /// Claims the entry. Its value expires at `until` at the latest.
    pub(super) fn claim(&mut self, token: &Token, terms: Terms, until: Option<Instant>, now: Instant) -> Claim {
        if let Some(text) = self.value()
            && terms.mode.is_hit(text.left(until, now))
        {
            return Claim::Hit(text.value.clone());
        }
        if let (Some(_), Some(other)) = (&self.text, &self.lease) {
            return Claim::Busy { lease_left: Some(other.ends - now) };
        }
        let ends = after(now, terms.lease);
        match &mut self.text {
            Some(text) if !text.is_claim() => text.refreshing = true,
            _ => self.text = Some(Text::claim(ends)),
        }
        self.lease = Some(Lease { token: token.clone(), ends });
        if terms.copy && self.copy.as_ref().is_none_or(Text::is_claim) {
            self.copy = Some(Text::claim(ends));
        }
        Claim::Granted
    }

    /// Stores the value if the claim of `token` still stands, and replaces the copy if there is
    /// one. Returns whether the claim stood.
    pub(super) fn fill(&mut self, token: &Token, value: Text, copy: Option<Text>) -> bool {
        let stands = self.text.as_ref().is_some_and(|text| text.is_claim() || text.refreshing);
        if !stands || !self.is_leased_to(token) {
            return false;
        }
        self.copy = self.copy.take().map(|old| copy.unwrap_or(old));
        self.text = Some(value);
        self.lease = None;
        true
    }

    /// Ends the claim of `token`. Returns whether there was one.
    pub(super) fn release(&mut self, token: &Token) -> bool {
        if !self.is_leased_to(token) {
            return false;
        }
        self.lease = None;
        self.text.take_if(|text| text.is_claim());
        self.copy.take_if(|copy| copy.is_claim());
        true
    }

    pub(super) fn put(&mut self, value: Text) {
        self.text = Some(value);
        self.copy = None;
    }

    /// Removes the value or the claim, and the copy. Returns whether there was a value or a claim.
    pub(super) fn remove(&mut self) -> bool {
        self.copy = None;
        self.text.take().is_some()
    }

    /// Removes the parts that have these tags, or may get them. Returns whether a value went.
    pub(super) fn invalidate(&mut self, tags: &[Tag]) -> bool {
        let leased = self.lease.is_some();
        self.copy.take_if(|copy| leased || copy.has(tags));
        let gone = self.text.take_if(|text| leased || text.has(tags));
        gone.is_some_and(|text| !text.is_claim())
    }

    /// Returns whether the entry has these tags, or may get them: with a lease a fill is in flight.
    pub(super) fn may_have(&self, tags: &[Tag]) -> bool {
        let leased = self.lease.is_some();
        [&self.text, &self.copy].into_iter().flatten().any(|text| leased || text.has(tags))
    }

    pub(super) fn value(&self) -> Option<&Text> {
        self.text.as_ref().filter(|text| !text.is_claim())
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.lease.is_none() && !self.is_there()
    }

    pub(super) fn is_there(&self) -> bool {
        self.text.is_some() || self.copy.is_some()
    }

    pub(super) fn ends(&self) -> Option<Instant> {
        let [text, copy] = [&self.text, &self.copy].map(|text| text.as_ref().map(|text| text.ends));
        text.max(copy).max(self.lease.as_ref().map(|lease| lease.ends))
    }

    fn is_leased_to(&self, token: &Token) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.token == *token)
    }
}

/// Returns the end of a life that begins now, and lasts at least a millisecond, as in Redis.
pub(super) fn after(now: Instant, life: Duration) -> Instant {
    now + life.clamp(Duration::from_millis(1), LONGEST)
}
