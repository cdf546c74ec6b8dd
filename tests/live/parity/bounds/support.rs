//! The tools of these tests: every kind of bound, and a function of one argument.

use mrc::{Bound, Cache, Policy, Spec};

pub(super) use crate::parity::support::*;

/// Returns every policy, each for all functions together and for each function alone.
pub(super) fn bounds() -> impl Iterator<Item = Bound> {
    Policy::ALL.into_iter().flat_map(|policy| [Bound::new(policy), Bound::new(policy).per_function()])
}

/// Runs a test with every bound, in memory and on a Redis.
pub(super) async fn on_every_bound(test: impl AsyncFn(&Place, Bound)) {
    for bound in bounds() {
        // The last line is that of a failure.
        eprintln!("{bound:?}");
        on_every_store(async |place| test(place, bound.clone()).await).await;
    }
}

/// Returns the call of `f` with this argument.
pub(super) fn f(x: u32) -> Spec {
    Spec::of("f").param("x", x)
}

/// Calls `f` with each argument, and returns those for which it ran.
pub(super) async fn ran(cache: &Cache, arguments: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut ran = Vec::new();
    for x in arguments {
        if runs(cache, f(x)).await {
            ran.push(x);
        }
    }
    ran
}

/// Returns the arguments below `count` whose calls have an entry. The check doesn't count as a use.
pub(super) async fn kept(cache: &Cache, count: u32) -> Vec<u32> {
    let mut kept = Vec::new();
    for x in 0..count {
        if cache.contains(f(x)).await.unwrap() {
            kept.push(x);
        }
    }
    kept
}
