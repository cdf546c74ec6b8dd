//! The rules of refreshes: one caller recomputes a value while others still use it.

use super::{LONG, SHORT, TestedKey, token, until};
use crate::store::{CacheStore, Claim, ClaimMode, Terms, Token};

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
    let claim = async |token: &Token, left| key.must("claim", store.claim(&key.name, token, renew(left)).await);
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
    assert!(!key.fill(&old, "[1]").await, "{key}: a refresh from before an invalidation must be refused");
    key.holds(None, "after a refused refresh").await;

    let new = key.granted(LONG).await;
    assert!(key.fill(&new, "[2]").await, "{key}: a claim after the invalidation must stand");
    assert!(!key.fill(&old, "[1]").await, "{key}: a refresh from before an invalidation must be refused");
    key.holds(Some("[2]"), "after a refused refresh").await;
    key.remove().await;
}

/// Checks that a put refuses a refresh.
pub async fn refuses_a_refresh_of_what_was_put_again(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    let refresh = key.granted_refresh(LONG).await;
    key.put("[2]", LONG).await;
    assert!(!key.fill(&refresh, "[1]").await, "{key}: a refresh from before a put must be refused");
    key.holds(Some("[2]"), "after a put and a refused refresh").await;
    key.remove().await;
}

/// Checks that expiry ends the refresh: it can't be told from a removal.
pub async fn refuses_a_refresh_of_what_expired(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", SHORT * 4).await;
    let refresh = key.granted_refresh(LONG).await;
    until("a value is gone when its life ends", || async { key.get().await.is_none() }).await;
    assert!(!key.fill(&refresh, "[2]").await, "{key}: a refresh of a value that expired must be refused");
    key.holds(None, "after a refused refresh").await;
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
    assert!(!key.fill(&late, "[2]").await, "{key}: a refresh after its lease must be refused");
    key.holds(Some("[1]"), "after a refused refresh").await;
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
