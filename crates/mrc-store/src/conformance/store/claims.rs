//! The rules of claims: who may fill or refresh, and when a fill is too late.

use std::time::Duration;

use super::{LONG, SHORT, TestedKey, token, until};
use crate::store::{CacheStore, Claim, ClaimMode, Terms, Token};

/// Checks that one claim is granted, and the next is Busy with the rest of the lease. Readers miss.
pub async fn grants_a_claim_once(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let first = key.granted(LONG).await;
    key.holds(None, "while it is claimed").await;
    match key.claim(&token(), LONG).await {
        Claim::Busy { lease_left: Some(left) } => {
            assert!(left > Duration::ZERO && left <= LONG, "{key}: of a lease of {LONG:?} are left {left:?}");
        }
        other => assert!(matches!(other, Claim::Busy { lease_left: None }), "{key}: a second claim is {other:?}"),
    }
    // The first answer may have been lost. Even then a claim can't be taken over by its own token.
    let again = key.claim(&first, LONG).await;
    assert!(matches!(again, Claim::Busy { .. }), "{key}: the same claim again is {again:?}");
    key.remove().await;
}

/// Checks that a claim of an existing value returns the value.
pub async fn hits_a_value_instead_of_claiming(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let answer = key.claim(&token(), LONG).await;
    assert_eq!(answer, Claim::Hit("[1]".into()), "{key}: a claim of a key that has a value");
    key.remove().await;
}

/// Checks that a fill under its claim is stored with its TTL and ends the claim.
pub async fn fills_under_a_claim_once(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG / 4).await;
    assert!(key.fill(&claim, "[1]").await, "{key}: a fill under its claim must be stored");
    key.holds(Some("[1]"), "after a fill").await;
    let left = key.ttl().await;
    let is_own = left.is_some_and(|left| left > LONG / 2 && left <= LONG);
    assert!(is_own, "{key}: a fill has its own life, not that of the lease: {LONG:?}, but {left:?} are left");
    assert!(!key.fill(&claim, "[2]").await, "{key}: a second fill under the same claim must be refused");
    assert!(!key.release(&claim).await, "{key}: a fill ends the claim, so there is nothing to release");
    key.holds(Some("[1]"), "after a refused fill").await;
    key.remove().await;
}

/// Checks that only the claim's token may fill or release.
pub async fn refuses_a_fill_with_another_token(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG).await;
    assert!(!key.fill(&token(), "[1]").await, "{key}: a fill with another token must be refused");
    assert!(!key.release(&token()).await, "{key}: a release with another token must return false");
    key.holds(None, "after a refused fill").await;
    assert!(key.fill(&claim, "[2]").await, "{key}: the claim must stand after another's attempts");
    key.remove().await;
}

/// Checks that a removal refuses the fill in flight. The next claim is granted at once.
pub async fn refuses_a_fill_after_a_removal(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let old = key.granted(LONG).await;
    assert_eq!(key.remove().await, 1, "{key}: a claim counts as a key that was removed");
    key.refuses(&old, None, "a fill after an invalidation").await;

    let old = key.granted(LONG).await;
    key.remove().await;
    let new = key.granted(LONG).await;
    assert!(!key.fill(&old, "[1]").await, "{key}: a fill from before it must be refused under a new claim too");
    assert!(key.fill(&new, "[2]").await, "{key}: the new claim must stand");
    key.holds(Some("[2]"), "after the fill of the new claim").await;
    key.remove().await;
}

/// Checks that a put refuses the fill in flight, and that its value stays.
pub async fn refuses_a_fill_after_a_put(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG).await;
    key.put("[2]", LONG).await;
    key.refuses(&claim, Some("[2]"), "a fill after a put").await;
    key.remove().await;
}

/// Checks that a release ends the claim.
pub async fn refuses_a_fill_after_a_release(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG).await;
    assert!(key.release(&claim).await, "{key}: a claim that stands can be released");
    assert!(!key.fill(&claim, "[1]").await, "{key}: a fill after its release must be refused");
    assert!(!key.release(&claim).await, "{key}: a second release must return false");
    key.holds(None, "after a release").await;
}

/// Checks that a claim ends with its lease.
pub async fn refuses_a_fill_after_its_lease(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(SHORT).await;
    until("a claim is gone when its lease ends", || async { key.is_absent().await }).await;
    key.refuses(&claim, None, "a fill after its lease").await;
}

/// Checks that a leader who returns after its lease doesn't disturb the next.
pub async fn refuses_a_fill_after_another_claim(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let late = key.granted(SHORT).await;
    let next = token();
    until("a key is free when the lease ends", || async { key.claim(&next, LONG).await == Claim::Granted }).await;
    assert!(!key.fill(&late, "[1]").await, "{key}: a fill under a claim that another took over must be refused");
    assert!(!key.release(&late).await, "{key}: a release of a claim that another took over must return false");
    assert!(key.fill(&next, "[2]").await, "{key}: the claim of the other must stand");
    key.holds(Some("[2]"), "after the fill of the other").await;
    key.remove().await;
}

/// Checks that a release frees the key for the next claim, and never removes a value.
pub async fn releases_claims_and_no_values(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG).await;
    assert!(key.release(&claim).await, "{key}: a claim that stands can be released");
    assert_eq!(key.remove().await, 0, "{key}: a release must leave nothing behind");

    let claim = key.granted(LONG).await;
    key.put("[1]", LONG).await;
    key.release(&claim).await;
    key.holds(Some("[1]"), "after the release of a claim that a put overtook").await;
    key.remove().await;
}

/// Checks that the claim of a dead leader frees the key after its lease, and leaves nothing behind.
pub async fn frees_a_key_after_its_lease(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.granted(SHORT).await;
    until("a key is free when the lease ends", || async { key.claim(&token(), SHORT).await == Claim::Granted }).await;
    until("a claim is gone when its lease ends", || async { key.is_absent().await }).await;
}

/// Checks that during a refresh others hit the old value, and can't refresh it too.
pub async fn goes_on_hitting_during_a_refresh(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    key.granted_refresh(LONG).await;
    key.holds(Some("[1]"), "during a refresh").await;
    let hit = key.claim(&token(), LONG).await;
    assert_eq!(hit, Claim::Hit("[1]".into()), "{key}: a claim for a fill during a refresh");
    assert!(key.ttl().await.is_some_and(|left| left > LONG / 2), "{key}: a refresh must not shorten the value's life");
    key.busy("during a refresh").await;
    key.remove().await;
}

/// Checks that a refresh replaces the value once, and that the next refresh may begin.
pub async fn refreshes_a_value(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let first = key.granted_refresh(LONG).await;
    assert!(!key.fill(&token(), "[0]").await, "{key}: a fill with another token during a refresh must be refused");
    assert!(key.fill(&first, "[2]").await, "{key}: the fill of a refresh must be stored");
    key.holds(Some("[2]"), "after a refresh").await;
    assert!(!key.fill(&first, "[0]").await, "{key}: a second fill of a refresh must be refused");
    let second = key.granted_refresh(LONG).await;
    assert!(key.fill(&second, "[3]").await, "{key}: the fill of the next refresh must be stored");
    key.holds(Some("[3]"), "after the next refresh").await;
    key.remove().await;
}

/// Checks that only one caller refreshes an expiring value: afterwards the value isn't expiring.
pub async fn renews_only_what_ends_soon(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let renew = |left| Terms { mode: ClaimMode::Renew { left }, ..Terms::fill(LONG) };
    let claim = async |token: &Token, left| key.claim_for(token, renew(left)).await;
    key.put("[1]", LONG / 2).await;
    let first = token();
    assert_eq!(claim(&first, LONG / 2).await, Claim::Granted, "{key}: a value that ends soon is renewed");
    assert!(key.fill(&first, "[2]").await, "{key}: the fill of a refresh must be stored");
    let late = claim(&token(), LONG / 2).await;
    assert_eq!(late, Claim::Hit("[2]".into()), "{key}: a value that was renewed is not renewed again");
    key.remove().await;
}

/// Checks that a removal refuses a refresh, even if another caller stored a new value meanwhile.
pub async fn refuses_a_refresh_of_what_was_removed(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let old = key.granted_refresh(LONG).await;
    key.remove().await;
    key.refuses(&old, None, "a refresh from before an invalidation").await;

    let new = key.granted(LONG).await;
    assert!(key.fill(&new, "[2]").await, "{key}: a claim after the invalidation must stand");
    key.refuses(&old, Some("[2]"), "a refresh from before an invalidation").await;
    key.remove().await;
}

/// Checks that a put refuses a refresh.
pub async fn refuses_a_refresh_of_what_was_put_again(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let refresh = key.granted_refresh(LONG).await;
    key.put("[2]", LONG).await;
    key.refuses(&refresh, Some("[2]"), "a refresh from before a put").await;
    key.remove().await;
}

/// Checks that expiry ends the refresh: it can't be told from a removal.
pub async fn refuses_a_refresh_of_what_expired(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let refresh = loop {
        key.put("[1]", SHORT * 4).await;
        let refresh = key.granted_refresh(LONG).await;
        if key.get().await.is_some() {
            break refresh;
        }
        // On a busy machine it expired before the claim, which is for a fill then.
        key.remove().await;
    };
    until("a value is gone when its life ends", || async { key.get().await.is_none() }).await;
    key.refuses(&refresh, None, "a refresh of a value that expired").await;
}

/// Checks that a refresh ends with its lease, and another may begin. The value stays.
pub async fn refuses_a_refresh_after_its_lease(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let late = key.granted_refresh(SHORT).await;
    let next = token();
    until("a value can be refreshed again when the lease ends", || async {
        key.claim_refresh(&next, LONG).await == Claim::Granted
    })
    .await;
    key.refuses(&late, Some("[1]"), "a refresh after its lease").await;
    assert!(key.fill(&next, "[3]").await, "{key}: the refresh of the next must be stored");
    key.holds(Some("[3]"), "after the refresh of the next").await;
    key.remove().await;
}

/// Checks that a refresh of a missing key is a fill.
pub async fn claims_a_missing_key_for_a_refresh(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted_refresh(LONG).await;
    key.holds(None, "while it is claimed").await;
    key.busy("while it is claimed").await;
    assert!(key.fill(&claim, "[1]").await, "{key}: a fill under its claim must be stored");
    key.holds(Some("[1]"), "after a fill").await;
    key.remove().await;
}

/// Checks that a released refresh keeps the value, and that the next refresh may begin.
pub async fn keeps_a_value_whose_refresh_was_released(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    for _ in 0..3 {
        let refresh = key.granted_refresh(LONG).await;
        assert!(key.release(&refresh).await, "{key}: a refresh that stands can be released");
        key.holds(Some("[1]"), "after the release of a refresh").await;
        assert!(!key.fill(&refresh, "[2]").await, "{key}: a refresh after its release must be refused");
    }
    key.remove().await;
}

impl TestedKey<'_> {
    /// Checks that a fill is refused, and leaves this value.
    async fn refuses(&self, claim: &Token, left: Option<&'static str>, fill: &str) {
        assert!(!self.fill(claim, "[0]").await, "{self}: {fill} must be refused");
        self.holds(left, &format!("after {fill}")).await;
    }

    /// Returns whether nothing is there. Scans, because a removal would change the result.
    async fn is_absent(&self) -> bool {
        self.scan(&self.name).await.is_empty()
    }
}
