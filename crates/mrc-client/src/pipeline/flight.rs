//! Single-flight: of the callers of this process that miss one key, one leads, the others follow.
//!
//! A follower may take a value that was read after it joined, like a value that it read itself. It
//! may take an earlier read only if the store accepted the fill, because then no invalidation ended
//! meanwhile. The leader closes its flight before it sends the fill. A later caller may come after
//! an invalidation that followed the fill, so it starts a new flight.
//!
//! While the cache is away, no store can accept a fill. A flight then closes as soon as it reads,
//! and the next flight waits for its turn. So one caller at a time reads a key, and no caller gets
//! a value that was read before it came.
//!
//! A leader may stop without being dropped, when nobody polls its future. So nobody joins a flight
//! that is as old as `patience`, and the next flight doesn't wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::Id;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::error::Result;
use mrc_store::lock;

/// After this many flights without a value for it, a caller computes by itself.
pub(super) const FLIGHTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Flights {
    flights: Mutex<HashMap<Box<str>, Arc<Flight>>>,
    without: Without,
}

/// The parts of the rule that a proof switches off, to show that they are needed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Without {
    /// Followers take any value.
    pub(crate) follower_rule: bool,
    /// A flight takes followers until it has landed.
    pub(crate) close_first: bool,
}

pub(crate) enum Seat<'a> {
    /// No flight was under way: this caller computes the value.
    Leader(Leader<'a>),
    /// Another caller computes the value.
    Follower(Follower),
}

#[derive(Debug)]
struct Flight {
    began: Instant,
    /// The task that leads, if the leader runs in a task.
    task: Option<Id>,
    /// The number of reads begun. A follower compares it to learn whether it joined before a read.
    reads: AtomicU64,
    /// Nobody may join any more, but the flight hasn't landed.
    closed: AtomicBool,
    landed: watch::Sender<Option<Landing>>,
}

#[derive(Debug, Clone)]
struct Landing {
    outcome: Result<Answer>,
    /// The number of the read that returned the outcome.
    read: u64,
    /// The store accepted the value as a fill.
    accepted: bool,
}

impl Flights {
    pub(crate) fn new(without: Without) -> Self {
        Self { flights: Mutex::default(), without }
    }

    /// Joins the flight to `key`, or starts one. A flight as old as `patience` counts as given up.
    pub(crate) fn join(&self, key: &str, patience: Duration) -> Seat<'_> {
        let mut flights = lock(&self.flights);
        let under_way = flights.get(key).filter(|flight| flight.began.elapsed() < patience);
        let before = match under_way {
            Some(flight) if !flight.closed.load(Ordering::Relaxed) || self.without.close_first => {
                let joined = flight.reads.load(Ordering::Relaxed);
                return Seat::Follower(Follower {
                    joined,
                    careless: self.without.follower_rule,
                    landed: flight.landed.subscribe(),
                });
            }
            closed => closed.map(|flight| flight.landed.subscribe()),
        };
        let flight = Arc::new(Flight {
            began: Instant::now(),
            task: tokio::task::try_id(),
            reads: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            landed: watch::Sender::new(None),
        });
        flights.insert(key.into(), Arc::clone(&flight));
        Seat::Leader(Leader { flights: self, key: key.into(), flight, before })
    }

    /// Returns the start of the flight to `key`. Returns `None` if none is under way.
    pub(crate) fn began(&self, key: &str) -> Option<Instant> {
        lock(&self.flights).get(key).map(|flight| flight.began)
    }

    /// Returns whether another task than `task` leads the flight to `key`.
    pub(crate) fn is_led_by_another(&self, key: &str, task: Id) -> bool {
        lock(&self.flights).get(key).is_some_and(|flight| flight.task != Some(task))
    }
}

/// The caller that computes. If it is dropped before it lands, each follower tries again by itself.
pub(crate) struct Leader<'a> {
    flights: &'a Flights,
    key: Box<str>,
    flight: Arc<Flight>,
    /// The previous flight, if it was closed but hadn't landed.
    before: Option<watch::Receiver<Option<Landing>>>,
}

impl Leader<'_> {
    /// Waits until the previous flight has landed, so that one caller at a time reads the key.
    pub(crate) async fn turn(&mut self) {
        if let Some(mut before) = self.before.take() {
            // An error means that the previous leader was dropped: the turn is ours as well.
            let _ = before.wait_for(Option::is_some).await;
        }
    }

    /// Begins a read of the database or the store. Followers that joined before may take its value.
    pub(crate) fn begin_read(&self) {
        // The lock orders this with `join`: a follower joined either before the read or after it.
        let _flights = lock(&self.flights.flights);
        self.flight.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        let _flights = lock(&self.flights.flights);
        self.flight.closed.store(true, Ordering::Relaxed);
    }

    /// Hands the outcome of the last read to the followers that may take it. Leaves the map first,
    /// so that nobody joins a flight that has landed.
    pub(crate) fn land(self, outcome: Result<Answer>, accepted: bool) {
        self.leave();
        let read = self.flight.reads.load(Ordering::Relaxed);
        self.flight.landed.send_replace(Some(Landing { outcome, read, accepted }));
    }

    fn leave(&self) {
        let mut flights = lock(&self.flights.flights);
        // After `close` or `patience`, the map may already hold the next flight of this key.
        if flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

pub(crate) struct Follower {
    /// The number of reads begun when this follower joined.
    joined: u64,
    careless: bool,
    landed: watch::Receiver<Option<Landing>>,
}

impl Follower {
    /// Waits for the leader's outcome. Returns `None` if the outcome isn't for this follower.
    pub(crate) async fn outcome(mut self) -> Option<Result<Answer>> {
        let landing = self.landed.wait_for(Option::is_some).await.ok()?.clone()?;
        (self.careless || landing.accepted || self.joined < landing.read).then_some(landing.outcome)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn leader(flights: &Flights) -> Leader<'_> {
        match flights.join("k", PATIENCE) {
            Seat::Leader(leader) => leader,
            Seat::Follower(_) => panic!("somebody leads already"),
        }
    }

    fn follower(flights: &Flights) -> Follower {
        match flights.join("k", PATIENCE) {
            Seat::Leader(_) => panic!("nobody leads"),
            Seat::Follower(follower) => follower,
        }
    }

    fn answer() -> Result<Answer> {
        Ok(Answer::computed(Bytes::from_static(b"1")))
    }

    #[tokio::test]
    async fn a_follower_takes_an_accepted_fill_or_a_value_that_was_read_after_it_joined() {
        for (reads_after, accepted, is_for_late) in [(0, true, true), (0, false, false), (1, false, true)] {
            let flights = Flights::new(Without::default());
            let leader = leader(&flights);
            let early = follower(&flights);
            leader.begin_read();
            let late = follower(&flights);
            (0..reads_after).for_each(|_| leader.begin_read());
            leader.land(answer(), accepted);
            let is_for = (early.outcome().await.is_some(), late.outcome().await.is_some());
            assert_eq!(is_for, (true, is_for_late), "{reads_after} reads after, accepted: {accepted}");
        }
    }

    #[tokio::test]
    async fn a_closed_flight_accepts_no_follower() {
        let flights = Flights::new(Without::default());
        let first = leader(&flights);
        first.close();
        let second = leader(&flights);
        first.land(answer(), true);
        // The first flight's landing must leave the second flight in the map.
        let _joined = follower(&flights);
        drop(second);
    }

    #[tokio::test]
    async fn a_proof_switches_off_one_part_at_a_time() {
        let rule = Flights::new(Without { follower_rule: true, ..Without::default() });
        let first = leader(&rule);
        first.begin_read();
        let late = follower(&rule);
        first.close();
        let _second = leader(&rule);
        first.land(answer(), false);
        assert!(late.outcome().await.is_some(), "any value is taken");

        let close = Flights::new(Without { close_first: true, ..Without::default() });
        let first = leader(&close);
        first.begin_read();
        first.close();
        let late = follower(&close);
        first.land(answer(), false);
        assert!(late.outcome().await.is_none(), "the rule of followers stands");
    }

    #[tokio::test]
    async fn the_next_flight_waits_for_its_turn() {
        let flights = Flights::new(Without::default());
        let first = leader(&flights);
        first.close();
        let mut second = leader(&flights);
        assert!(futures_util::FutureExt::now_or_never(second.turn()).is_none(), "the first one reads");
        let mut second = {
            drop(second);
            leader(&flights)
        };
        first.land(answer(), false);
        second.turn().await;
    }

    #[tokio::test(start_paused = true)]
    async fn followers_give_up_a_blocked_leader() {
        let flights = Flights::new(Without::default());
        let first = leader(&flights);
        first.close();
        tokio::time::advance(PATIENCE).await;
        let mut second = leader(&flights);
        second.turn().await;
        // The first flight's end must leave the second flight in the map.
        drop(first);
        let _joined = follower(&flights);
    }

    #[tokio::test]
    async fn a_cancelled_leader_releases_its_followers() {
        let flights = Flights::new(Without::default());
        let gone = leader(&flights);
        let waiting = follower(&flights);
        drop(gone);
        assert!(waiting.outcome().await.is_none());
        let _next = leader(&flights);
    }
}
