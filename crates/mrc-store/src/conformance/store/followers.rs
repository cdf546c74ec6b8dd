//! The rules of followers: their positions and leases, and the registry of schemes. A store without
//! [`Checkpoints`](crate::Checkpoints) or [`Schemes`] passes theirs.

use std::fmt::Debug;
use std::time::Duration;

use mrc_core::depends::SchemeName;

use super::tags::life;
use super::{LONG, TRIES, TestedKey, token};
use crate::books::{Advance, Lease, MOST_SCHEMES, Reached, Schemes};
use crate::error::StoreError;
use crate::store::CacheStore;
use crate::tags::Moment;

/// Checks that the leader alone replaces a position, and only the expected one.
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

/// Checks that an entry is stored only if its schemes were registered before its claim.
pub async fn refuses_a_fill_whose_scheme_is_unknown(store: &dyn CacheStore, prefix: &str) {
    let Some(schemes) = store.as_schemes() else { return };
    let (key, scheme) = (TestedKey::new(store, format!("{prefix}key")), scheme(prefix, "orders", "id:int"));
    let claimed = async || (key.granted(LONG).await, key.now().await);
    let filled = async |(claim, since)| key.fill_with(&claim, "[1]", life(&[&scheme.tag], since)).await;
    assert!(!filled(claimed().await).await, "a scheme that isn't registered");
    let claim = claimed().await;
    register(schemes, &[&scheme]).await;
    assert!(!filled(claim).await, "a scheme that was registered after the claim");
    let mut stored = false;
    for _ in 0..TRIES {
        stored = stored || filled(claimed().await).await;
    }
    assert!(stored, "a scheme that was registered before the claim");
    let removed = key.invalidate(&[&scheme.tag]).await;
    assert_eq!(removed, 1, "an invalidation of the scheme's tag removes its entries");
}

/// Checks that the registry returns what was registered, and a new version for each new scheme.
pub async fn lists_registered_schemes(store: &dyn CacheStore, prefix: &str) {
    let Some(schemes) = store.as_schemes() else { return };
    let (one, another) = (scheme(prefix, "orders", "id:int"), scheme(prefix, "items", ""));
    register(schemes, &[&one]).await;
    let first = listed(schemes, None).await;
    assert!(first.schemes.contains(&one), "a registered scheme is listed: {first:?}");
    assert!(first.born <= first.version && first.born > Moment::default(), "{first:?}");
    register(schemes, &[&one, &another]).await;
    let second = listed(schemes, Some(first.version)).await;
    assert!(second.schemes.contains(&one) && second.schemes.contains(&another), "{second:?}");
    assert!(second.version > first.version, "a new scheme gives a new version: {second:?}");
    // Other tests may register theirs between the calls.
    let third = schemes.registry(Some(second.version)).await.map(|third| third.map(|third| third.version));
    assert!(third.as_ref().is_ok_and(|third| *third != Some(second.version)), "the same version: {third:?}");
}

/// Checks that a table has a bounded number of schemes, and one without columns in any case.
pub async fn bounds_the_schemes_of_a_table(store: &dyn CacheStore, prefix: &str) {
    let Some(schemes) = store.as_schemes() else { return };
    let all: Vec<_> = (0..=MOST_SCHEMES).map(|at| scheme(prefix, "orders", &format!("c{at}:int"))).collect();
    let refused = schemes.register(&all).await;
    assert_eq!(refused.ok().as_deref(), all.get(MOST_SCHEMES..), "one more than the most");
    register(schemes, &[&scheme(prefix, "orders", ""), &scheme(prefix, "items", "id:int")]).await;
    let again = schemes.register(&all).await;
    assert_eq!(again.ok().as_deref(), all.get(MOST_SCHEMES..), "those that are registered stay");
}

fn scheme(prefix: &str, table: &str, columns: &str) -> SchemeName {
    SchemeName::new(format!("t:{}.{table}?{columns}", prefix.replace(':', "-")))
}

async fn register(schemes: &dyn Schemes, names: &[&SchemeName]) {
    let names: Vec<_> = names.iter().map(|name| (*name).clone()).collect();
    let refused = schemes.register(&names).await;
    assert!(refused.as_ref().is_ok_and(Vec::is_empty), "a registration: {refused:?}");
}

async fn listed(schemes: &dyn Schemes, known: Option<Moment>) -> crate::Registry {
    match schemes.registry(known).await {
        Ok(Some(registry)) => registry,
        other => panic!("the registry has another version, but the answer is {other:?}"),
    }
}
