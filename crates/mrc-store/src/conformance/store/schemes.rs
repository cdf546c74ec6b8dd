//! The registry of schemes.

use mrc_core::depends::SchemeName;

use super::{LONG, TRIES, token};
use crate::schemes::{MOST_SCHEMES, Schemes};
use crate::store::{CacheStore, Claim, Life, Terms, Token};
use crate::tags::Moment;

/// Checks that an entry is stored only if its schemes were registered before its claim. A store
/// without [`Schemes`] passes.
pub async fn refuses_a_fill_whose_scheme_is_unknown(store: &dyn CacheStore, prefix: &str) {
    let Some(schemes) = store.as_schemes() else { return };
    let (key, scheme) = (format!("{prefix}key"), scheme(prefix, "orders", "id:int"));
    let (ours, since) = claimed(store, &key).await;
    assert!(!filled(store, &key, &ours, &scheme, since).await, "a scheme that isn't registered");
    let (ours, since) = claimed(store, &key).await;
    register(schemes, &[&scheme]).await;
    assert!(!filled(store, &key, &ours, &scheme, since).await, "a scheme that was registered after the claim");
    let mut stored = false;
    for _ in 0..TRIES {
        if !stored {
            let (ours, since) = claimed(store, &key).await;
            stored = filled(store, &key, &ours, &scheme, since).await;
        }
    }
    assert!(stored, "a scheme that was registered before the claim");
    let removed = store.invalidate(std::slice::from_ref(&scheme.tag)).await;
    assert_eq!(removed.ok(), Some(1), "an invalidation of the scheme's tag removes its entries");
}

/// Checks that the registry returns what was registered, and a new version for each new scheme. A
/// store without [`Schemes`] passes.
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

/// Checks that a table has a bounded number of schemes, and one without columns in any case. A
/// store without [`Schemes`] passes.
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

async fn claimed(store: &dyn CacheStore, key: &str) -> (Token, Moment) {
    let ours = token();
    assert!(matches!(store.claim(key, &ours, Terms::fill(LONG)).await, Ok(Claim::Granted)), "a claim");
    match store.now().await {
        Ok(now) => (ours, now),
        Err(error) => panic!("the clock: {error}"),
    }
}

async fn filled(store: &dyn CacheStore, key: &str, token: &Token, scheme: &SchemeName, since: Moment) -> bool {
    let life = Life { tags: [(scheme.tag.clone(), since)].into_iter().collect(), ..LONG.into() };
    match store.fill(key, token, "[1]".into(), life).await {
        Ok(filled) => filled,
        Err(error) => panic!("a fill: {error}"),
    }
}
