//! The measurements, and how old an answer may be.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mrc_tests::Machine;

use crate::plan::Phase;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A right answer, from the cache.
    Hit,
    /// A right answer from the database, read for this call or for a flight that it followed.
    Read,
    /// A right answer: a stale copy.
    Stale,
    /// An error that says that the same call may succeed later.
    Refused,
    /// Any other error.
    Failed,
    /// An answer older than its floor, or another row's.
    Wrong,
    /// Neither an answer nor an error long after the deadline.
    Hung,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// The time at which it was due, since the run began.
    pub(crate) due: Duration,
    /// The time from then until its end.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// Counts by phase and name, during the run.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    phase: AtomicUsize,
    counts: Mutex<BTreeMap<(String, usize), u64>>,
}

impl Counts {
    pub(crate) fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, name: &str) {
        let phase = self.phase.load(Ordering::Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((name.to_owned(), phase)).or_default() += 1;
    }

    /// Returns the count of a name in a phase.
    pub(crate) fn get(&self, name: &str, phase: usize) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(name.to_owned(), phase)).copied().unwrap_or(0)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = counts.keys().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }
}

/// The floor of each row: the newest version whose invalidation had returned before a call began.
#[derive(Debug)]
pub(crate) struct Floors(Vec<AtomicU32>);

impl Floors {
    pub(crate) fn new(items: u32) -> Self {
        Self((0..items).map(|_| AtomicU32::new(0)).collect())
    }

    pub(crate) fn of(&self, item: u32) -> u32 {
        self.0.get(item as usize).map_or(0, |floor| floor.load(Ordering::SeqCst))
    }

    /// Records that an invalidation has returned.
    pub(crate) fn raise(&self, item: u32, version: u32) {
        if let Some(floor) = self.0.get(item as usize) {
            floor.fetch_max(version, Ordering::SeqCst);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) samples: Vec<Sample>,
    /// The events of the client's listener, and `QUERIES`.
    pub(crate) events: std::sync::Arc<Counts>,
    /// The messages of failed calls.
    pub(crate) errors: std::sync::Arc<Counts>,
}

#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rate: u32,
    /// Each phase, with its time.
    pub(crate) phases: Vec<(Phase, Range<Duration>)>,
    pub(crate) series: Vec<Measured>,
    pub(crate) writer: std::sync::Arc<Counts>,
}

impl Results {
    /// Returns the calls that were due in a phase.
    pub(crate) fn of<'a>(&self, measured: &'a Measured, phase: usize) -> impl Iterator<Item = &'a Sample> + use<'a> {
        let span = self.phases.get(phase).map(|(_, span)| span.clone()).unwrap_or_default();
        measured.samples.iter().filter(move |sample| span.contains(&sample.due))
    }

    /// Returns whether MySQL was away, or coming back, in any phase that a call touched.
    /// A call that is due at the very end of a calm phase may meet the outage that follows.
    pub(crate) fn met_mysql(&self, sample: &Sample) -> bool {
        let ended = sample.due + sample.took;
        let touched = |span: &Range<Duration>| span.start <= ended && sample.due < span.end;
        self.phases.iter().any(|(phase, span)| phase.after_mysql && touched(span))
    }
}
