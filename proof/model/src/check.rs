//! One check: every run of a setting, or the shortest that breaks the invariant.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::model::Protocol;
use crate::part::Part;
use crate::setting::Setting;

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    /// How many different states were seen.
    pub states: usize,
    /// How long it took.
    pub took: Duration,
    /// The verdict.
    pub found: Found,
}

/// The verdict of a check.
#[derive(Debug)]
pub enum Found {
    /// Every run was tried, and all that must hold holds.
    Holds,
    /// A run breaks what must hold.
    Counterexample {
        /// What it breaks.
        breaks: &'static str,
        /// The run, step by step.
        path: Vec<Step>,
    },
    /// What should happen in some run happens in none: the model says nothing.
    Never(&'static str),
    /// Time ran out before every run was tried.
    Unfinished,
}

/// One step of a counterexample.
#[derive(Debug)]
pub struct Step {
    /// What happened, in the words of the protocol.
    pub what: String,
    /// The keys and the row afterwards.
    pub then: String,
}

/// Tries every run of `setting`, with the whole protocol or without a part of it. A counterexample is one of the shortest.
#[must_use]
pub fn check(setting: &Setting, without: Option<Part>, threads: NonZeroUsize, limit: Duration) -> Finding {
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

/// Tries every run, or those shorter than `steps`. Ends at a counterexample, not at the shortest. And how many states it saw.
fn search(protocol: &Protocol, threads: NonZeroUsize, limit: Duration, steps: Option<usize>) -> (Found, usize) {
    let mut checker =
        protocol.clone().checker().threads(threads.get()).finish_when(HasDiscoveries::AnyFailures).timeout(limit);
    if let Some(steps) = steps {
        // stateright counts states, and looks at none as deep as its target: before `steps` steps there are `steps` states.
        checker = checker.target_max_depth(steps + 1);
    }
    let began = Instant::now();
    let checker = checker.spawn_bfs().join();

    let mut found = if began.elapsed() < limit { Found::Holds } else { Found::Unfinished };
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
