//! What was measured.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mrc_tests::Machine;

use crate::plan::Phase;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A right answer, from the cache.
    Hit,
    /// A right answer, from the database, read for this call or for one that it waited for.
    Read,
    /// A right answer: a copy that had outlived its TTL.
    Stale,
    /// An error that says that the same call may succeed later.
    Refused,
    /// Any other error.
    Failed,
    /// An answer older than it may be, or another row's.
    Wrong,
    /// Neither an answer nor an error long after the deadline.
    Hung,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// When it was due, since the run began.
    pub(crate) due: Duration,
    /// From then until its end.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// Counts by phase and name, while the run goes on.
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

    /// How often, in this phase.
    pub(crate) fn get(&self, name: &str, phase: usize) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(name.to_owned(), phase)).copied().unwrap_or(0)
    }

    /// All names.
    pub(crate) fn names(&self) -> Vec<String> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = counts.keys().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }
}

/// One client's part.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) samples: Vec<Sample>,
    /// What the client told its listener, and `QUERIES`.
    pub(crate) events: std::sync::Arc<Counts>,
    /// What failed calls said.
    pub(crate) errors: std::sync::Arc<Counts>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rate: u32,
    /// Each phase, and when it was.
    pub(crate) phases: Vec<(Phase, Range<Duration>)>,
    pub(crate) series: Vec<Measured>,
    pub(crate) writer: std::sync::Arc<Counts>,
}

impl Results {
    /// The calls that were due in a phase.
    pub(crate) fn of<'a>(&self, measured: &'a Measured, phase: usize) -> impl Iterator<Item = &'a Sample> + use<'a> {
        let span = self.phases.get(phase).map(|(_, span)| span.clone()).unwrap_or_default();
        measured.samples.iter().filter(move |sample| span.contains(&sample.due))
    }

    /// Whether MySQL was away, or coming back, in any phase that a call touched. A call that is due in the last moment of a calm phase may
    /// meet the outage that follows.
    pub(crate) fn met_mysql(&self, sample: &Sample) -> bool {
        let ended = sample.due + sample.took;
        let touched = |span: &Range<Duration>| span.start <= ended && sample.due < span.end;
        self.phases.iter().any(|(phase, span)| phase.after_mysql && touched(span))
    }
}
