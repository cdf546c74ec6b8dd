//! Namespaces and names: a clear removes what it names, and nothing else.

use futures_util::future::join_all;
use mrc::key::Glob;
use mrc::{Cache, Select};
use mrc_tests::RedisCluster;

use super::support::*;

tests!(
    on_every_store,
    d64_d65_r06_names_by_pattern,
    d65_a_clear_leaves_foreign_keys,
    r12_a_write_invalidates_after_it_succeeded,
    x20_glob_metacharacters_are_literal,
);

async fn fill(cache: &Cache, names: &[&str]) {
    for name in names {
        assert!(cache.set(*name, &1).await.unwrap());
    }
}

async fn d64_d65_r06_names_by_pattern(place: &Place) {
    let (cache, other) = (place.cache(), place.namespace("other"));
    let names = ["user:1", "user:2", "user", "users:1", "post:1"];
    fill(&cache, &names).await;
    fill(&other, &names).await;
    assert_eq!(cache.invalidate(Glob::new("user:*").unwrap()).await.unwrap(), 2);
    assert_eq!(cache.invalidate(Glob::new("user:*").unwrap()).await.unwrap(), 0);
    assert!(cache.contains("user").await.unwrap() && cache.contains("users:1").await.unwrap());
    assert_eq!(cache.invalidate(Glob::new("*:1").unwrap()).await.unwrap(), 2);
    assert_eq!((cache.clear().await.unwrap(), other.len().await.unwrap()), (1, 5));
    assert_eq!(other.clear().await.unwrap(), 5);
}

async fn d65_a_clear_leaves_foreign_keys(place: &Place) {
    let cache = place.cache();
    let others = ["ap", "app2", "app.", "App"].map(|name| place.namespace(name));
    for other in &others {
        fill(other, &["a", "app:a"]).await;
    }
    place.store().put("app", "1".into(), HOUR).await.unwrap();
    place.store().put("x:app:a", "1".into(), HOUR).await.unwrap();
    fill(&cache, &["a", ":", "*"]).await;
    cache.set(mrc::Spec::of("tagged").tag("app:a"), &1).await.unwrap();
    assert_eq!((cache.len().await.unwrap(), cache.clear().await.unwrap(), cache.len().await.unwrap()), (4, 4, 0));
    for other in &others {
        assert_eq!(other.len().await.unwrap(), 2, "{other:?}");
    }
    for key in ["app", "x:app:a"] {
        assert!(place.store().get(key).await.unwrap().is_some(), "{key}");
    }
    assert_eq!(cache.invalidate(tag("app:a")).await.unwrap(), 0);
}

async fn r12_a_write_invalidates_after_it_succeeded(place: &Place) {
    let cache = place.cache();
    let write = async |outcome: Result<(), mrc::Error>| {
        outcome?;
        cache.invalidate(Glob::beginning("tasks(")).await
    };
    fill(&cache, &["tasks(user=1)", "tasks(user=2)", "tasks2"]).await;
    assert!(write(Err(mrc::Error::Shutdown)).await.is_err());
    assert_eq!(cache.len().await.unwrap(), 3);
    assert_eq!(write(Ok(())).await.unwrap(), 2);
    assert_eq!(cache.len().await.unwrap(), 1);
}

async fn x20_glob_metacharacters_are_literal(place: &Place) {
    let namespaces = ["a*", "a?", "a[b]", "a\\", "*", "[^a]", "a"].map(|name| place.namespace(name));
    let names = ["u*", "u?", "u[x]", "u\\", "u\\*", "ux", "uxy", "^", "-"];
    for cache in &namespaces {
        fill(cache, &names).await;
    }
    for (at, cache) in namespaces.iter().enumerate() {
        for name in ["u*", "u?", "u[x]", "u\\", "u\\*"] {
            assert_eq!(cache.invalidate(Glob::literal(name)).await.unwrap(), 1, "{name} in {cache:?}");
        }
        fill(cache, &names).await;
        assert_eq!(cache.invalidate(Glob::beginning("u\\")).await.unwrap(), 2);
        assert_eq!(cache.invalidate(Glob::new(r"u\**").unwrap()).await.unwrap(), 1);
        assert_eq!(cache.invalidate(Glob::new("u?").unwrap()).await.unwrap(), 2);
        assert_eq!(cache.invalidate(Select::Everything).await.unwrap(), 4);
        for later in &namespaces[at + 1..] {
            assert_eq!(later.len().await.unwrap(), names.len() as u64, "{later:?} after {cache:?}");
        }
    }
}

#[tokio::test]
async fn x19_a_clear_reaches_every_node_of_a_cluster() {
    let place = Place::cluster().await;
    let (cache, other) = (place.cache(), place.namespace("app2"));
    join_all((0..300).map(|name| cache.set(name.to_string(), &1))).await;
    join_all((0..300).map(|name| cache.set(mrc::Spec::of(format!("t{name}")).tag("t"), &1))).await;
    join_all((0..300).map(|name| other.set(name.to_string(), &1))).await;
    for node in RedisCluster::shared().await.nodes() {
        assert!(node.cli(&["DBSIZE"]).await.trim().parse::<u32>().unwrap() > 100);
    }
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 300);
    assert_eq!(cache.clear().await.unwrap(), 300);
    assert_eq!((cache.len().await.unwrap(), other.len().await.unwrap()), (0, 300));
    // The store's tests cover tags on a cluster. This only checks that a cache works the same.
    assert!(runs(&cache, mrc::Spec::of("a").tag("t")).await && !runs(&cache, "a").await);
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 1);
}
