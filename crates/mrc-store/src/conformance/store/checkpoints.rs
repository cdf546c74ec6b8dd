//! The bookkeeping of followers.

use std::fmt::Debug;
use std::time::Duration;

use super::{LONG, token};
use crate::checkpoint::{Advance, Lease, Reached};
use crate::error::StoreError;
use crate::store::CacheStore;

/// Checks that a position is replaced by the leader alone, and only if it is the expected one.
/// A store without [`Checkpoints`](crate::Checkpoints) passes.
pub async fn keeps_a_position_for_its_leader(store: &dyn CacheStore, prefix: &str) {
    let Some(books) = store.as_checkpoints() else { return };
    let (ours, other) = (&token(), &token());
    equal("the position before any", books.checkpoint(prefix).await, None);
    equal("a position without a lease", books.advance(prefix, ours, None, Reached::at("a:1")).await, Advance::NoLease);
    equal("a free lease", books.lease(prefix, ours, LONG).await, Lease::Ours);
    equal("a renewed lease", books.lease(prefix, ours, LONG).await, Lease::Ours);
    let taken = books.lease(prefix, other, LONG).await;
    assert!(matches!(taken, Ok(Lease::Taken { left }) if left <= LONG), "another's lease: {taken:?}");
    equal(
        "a missing position",
        books.advance(prefix, ours, Some("a:1"), Reached::at("a:2")).await,
        Advance::Differs(None),
    );
    equal("the first position", books.advance(prefix, ours, None, Reached::at("a:1")).await, Advance::Done);
    equal("a repeated call", books.advance(prefix, ours, None, Reached::at("a:1")).await, Advance::Done);
    equal("another's position", books.advance(prefix, other, Some("a:1"), Reached::at("a:2")).await, Advance::NoLease);
    equal("the next position", books.advance(prefix, ours, Some("a:1"), Reached::at("a:2")).await, Advance::Done);
    let differs = Advance::Differs(Some("a:2".into()));
    equal("another position", books.advance(prefix, ours, Some("a:1"), Reached::at("a:3")).await, differs);
    equal("the end of another's lease", books.end_lease(prefix, other).await, ());
    let found = books.checkpoint(prefix).await.map(|found| found.map(|found| (found.position, found.leader)));
    equal("the position", found, Some(("a:2".into(), Some(ours.as_str().into()))));
    let lags = Reached { position: "a:2", lag: Duration::from_millis(1_500), by_schemes: true };
    equal("a confirmed position", books.advance(prefix, ours, Some("a:2"), lags).await, Advance::Done);
    let found = books.checkpoint(prefix).await.map(|found| found.map(|found| (found.lag, found.by_schemes)));
    equal("the follower's progress", found, Some((lags.lag, true)));
    equal("the end of the lease", books.end_lease(prefix, ours).await, ());
    equal("a lease that ended", books.lease(prefix, other, LONG).await, Lease::Ours);
    equal("its end", books.end_lease(prefix, other).await, ());
}

#[expect(clippy::needless_pass_by_value, reason = "the calls read better without references")]
fn equal<T: Debug + PartialEq>(call: &str, found: Result<T, StoreError>, expect: T) {
    assert!(found.as_ref().is_ok_and(|found| *found == expect), "{call}: {found:?} must be {expect:?}");
}
