//! One check: tries every run of a setting, or finds the shortest that breaks the invariant.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::model::Protocol;
use crate::part::Part;
use crate::setting::Setting;

/// The result of a check.
#[derive(Debug)]
pub struct Finding {
    /// The number of different states that were seen.
    pub states: usize,
    /// The time that it took.
    pub took: Duration,
    /// The verdict.
    pub found: Found,
}

/// The verdict of a check.
#[derive(Debug)]
pub enum Found {
    /// Every run was tried, and all properties hold.
    Holds,
    /// A run breaks a property.
    Counterexample {
        /// The property that it breaks.
        breaks: &'static str,
        /// The run, step by step.
        path: Vec<Step>,
    },
    /// A step that some run must contain happens in none, so the model says nothing.
    Never(&'static str),
    /// The limit was reached before every run was tried.
    Unfinished,
}

/// One step of a counterexample.
#[derive(Debug)]
pub struct Step {
    /// The step, in the words of the protocol.
    pub what: String,
    /// The keys and the row afterwards.
    pub then: String,
}

/// Tries every run of `setting`, perhaps without a part. A counterexample is one of the shortest.
/// The check ends after `limit` steps: the verdict then doesn't depend on the load of the machine.
#[must_use]
pub fn check(setting: &Setting, without: Option<Part>, threads: NonZeroUsize, limit: usize) -> Finding {
    let protocol = Protocol { setting: setting.clone(), without };
    let began = Instant::now();
    let (mut found, states) = search(&protocol, threads, limit, None);
    while let Found::Counterexample { path, .. } = &found {
        let (shorter, _) = search(&protocol, threads, limit, Some(path.len()));
        if !matches!(shorter, Found::Counterexample { .. }) {
            break;
        }
        found = shorter;
    }
    Finding { states, took: began.elapsed(), found }
}

/// Tries every run, or those shorter than `steps`. Ends at any counterexample. Also counts states.
fn search(protocol: &Protocol, threads: NonZeroUsize, limit: usize, steps: Option<usize>) -> (Found, usize) {
    let mut checker = protocol
        .clone()
        .checker()
        .threads(threads.get())
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(limit);
    if let Some(steps) = steps {
        // stateright counts states and skips the target depth: n steps have n + 1 states.
        checker = checker.target_max_depth(steps + 1);
    }
    let checker = checker.spawn_bfs().join();

    let mut found = if checker.state_count() < limit { Found::Holds } else { Found::Unfinished };
    for property in protocol.properties() {
        match (property.expectation, checker.discovery(property.name)) {
            (Expectation::Sometimes, None) if matches!(found, Found::Holds) => found = Found::Never(property.name),
            (Expectation::Sometimes, _) | (_, None) => {}
            (_, Some(path)) => {
                found = Found::Counterexample { breaks: property.name, path: readable(path.into_vec(), protocol) };
                break;
            }
        }
    }
    (found, checker.unique_state_count())
}

type Raw = Vec<(<Protocol as Model>::State, Option<<Protocol as Model>::Action>)>;

fn readable(path: Raw, protocol: &Protocol) -> Vec<Step> {
    let step = |(before, action): (<Protocol as Model>::State, Option<<Protocol as Model>::Action>)| {
        let action = action?;
        let after = protocol.next_state(&before, action)?;
        Some(Step { what: action.words(&before, protocol.without), then: after.keys(&protocol.setting) })
    };
    path.into_iter().filter_map(step).collect()
}
