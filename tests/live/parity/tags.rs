//! Tags: an invalidation removes what has the tag, and nothing else.

use futures_util::future::join_all;
use mrc::{Select, Spec, Tag, scope};
use mrc_tests::{Proxy, Redis};

use super::support::*;

tests!(
    on_every_store,
    d09_d13_d60_d113_d118_invalidating_a_tag_removes_the_entries_with_it,
    d68_an_unknown_tag_removes_nothing_and_none_is_refused,
    d82_d83_d85_tags_of_the_spec_and_of_the_function_invalidate_a_call,
    d121_two_functions_with_one_tag_both_run_again,
    a_tag_reaches_every_namespace_and_several_are_any_or_all,
    x16_other_tags_than_before_replace_them,
    x05_tags_of_the_spec_do_not_gather_those_of_the_calls,
    x18_a_tag_is_a_whole_name,
    d126_d144_a_store_by_hand,
    d145_d156_stores_are_apart_and_a_tag_is_no_key,
    an_invalidation_counts_values,
);

async fn d09_d13_d60_d113_d118_invalidating_a_tag_removes_the_entries_with_it(place: &Place) {
    let cache = place.cache();
    for (name, tags) in [("key1", &["dep1", "dep2"][..]), ("key2", &["dep2", "dep3"]), ("key3", &["dep3"])] {
        assert!(cache.set(Spec::of(name).tags(tags.iter().copied()), name).await.unwrap());
    }
    assert_eq!(cache.invalidate(tag("dep2")).await.unwrap(), 2);
    let left = [cache.get::<String>("key1").await.unwrap(), cache.get("key2").await.unwrap()];
    assert_eq!((left, cache.get("key3").await.unwrap()), ([None, None], Some("key3".to_owned())));
    assert_eq!(cache.invalidate(tag("dep2")).await.unwrap(), 0);
    assert_eq!(cache.invalidate(tag("dep3")).await.unwrap(), 1);
}

async fn d68_an_unknown_tag_removes_nothing_and_none_is_refused(place: &Place) {
    let cache = place.cache();
    cache.set(Spec::of("a").tag("t"), &1).await.unwrap();
    assert_eq!(cache.invalidate(tag("unknown")).await.unwrap(), 0);
    for nothing in [Select::any([""; 0]), Select::all([""; 0]), tag("").into()] {
        assert!(matches!(cache.invalidate(nothing).await, Err(mrc::Error::Tag(_))));
    }
    assert!(cache.contains("a").await.unwrap());
}

async fn d82_d83_d85_tags_of_the_spec_and_of_the_function_invalidate_a_call(place: &Place) {
    let cache = place.cache();
    let call =
        async || runs_with(&cache, Spec::of("user").param("id", 1).tag("users"), async || scope::tag("user:1")).await;
    assert!(call().await && !call().await);
    for of_both in ["users", "user:1"] {
        assert_eq!(cache.invalidate(tag(of_both)).await.unwrap(), 1, "{of_both}");
        assert!(call().await && !call().await);
    }
}

async fn d121_two_functions_with_one_tag_both_run_again(place: &Place) {
    let cache = place.cache();
    let names = ["profile", "settings"];
    for expect_run in [true, false] {
        for name in names {
            assert_eq!(runs(&cache, Spec::of(name).tag("user:1")).await, expect_run);
        }
    }
    assert_eq!(cache.invalidate(tag("user:1")).await.unwrap(), 2);
    for name in names {
        assert!(runs(&cache, Spec::of(name).tag("user:1")).await);
    }
}

async fn a_tag_reaches_every_namespace_and_several_are_any_or_all(place: &Place) {
    let (one, other) = (place.namespace("one"), place.namespace("other"));
    let fill = async || {
        for (cache, name, tags) in
            [(&one, "a", &["u", "v"][..]), (&one, "b", &["u"]), (&other, "c", &["u", "v"]), (&other, "d", &["w"])]
        {
            cache.set(Spec::of(name).tags(tags.iter().copied()), &1).await.unwrap();
        }
    };
    for (select, removed, left) in [
        (Select::any(["u"]), 3, [false, false, false, true]),
        (Select::any(["v", "w", "v"]), 3, [false, true, false, false]),
        (Select::all(["u", "v"]), 2, [false, true, false, true]),
        (Select::all(["v", "w"]), 0, [true; 4]),
    ] {
        fill().await;
        assert_eq!(one.invalidate(select.clone()).await.unwrap(), removed, "{select:?}");
        let has = [(&one, "a"), (&one, "b"), (&other, "c"), (&other, "d")].map(|(cache, name)| cache.contains(name));
        let has: Vec<bool> = join_all(has).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(has, left, "{select:?}");
    }
}

async fn x16_other_tags_than_before_replace_them(place: &Place) {
    let cache = place.cache();
    for put_again in [true, false] {
        cache.set(Spec::of("a").tags(["old", "both"]), &1).await.unwrap();
        if put_again {
            cache.set(Spec::of("a").tags(["new", "both"]), &2).await.unwrap();
        } else {
            cache.remove("a").await.unwrap();
            assert!(runs_with(&cache, Spec::of("a").tag("both"), async || scope::tag("new")).await);
        }
        assert_eq!(cache.invalidate(tag("old")).await.unwrap(), 0);
        assert!(cache.contains("a").await.unwrap());
        assert_eq!(cache.invalidate(tag("both")).await.unwrap(), 1);
        assert_eq!(cache.invalidate(tag("new")).await.unwrap(), 0);
    }
    cache.set(Spec::of("a").tag("old"), &1).await.unwrap();
    cache.set("a", &2).await.unwrap();
    assert_eq!(cache.invalidate(tag("old")).await.unwrap(), 0, "it has none any more");
    assert_eq!(cache.get("a").await.unwrap(), Some(2));
}

#[tokio::test]
async fn x16_dead_members_are_trimmed() {
    let redis = Redis::start().await;
    let cache = Place::redis(patient(&redis.url())).cache();
    let number = async |command: &[&str]| redis.cli(command).await.trim().parse::<i64>().unwrap();
    for name in 0..50 {
        cache.set(Spec::of(name.to_string()).tag("t"), &1).await.unwrap();
    }
    let index = redis.cli(&["KEYS", "*mrc:t:*"]).await;
    let index = index.trim();
    // As if they had expired long ago. A fill clears some of them away.
    for member in redis.cli(&["ZRANGE", index, "0", "-1"]).await.lines().filter(|member| !member.is_empty()) {
        redis.cli(&["DEL", member]).await;
        redis.cli(&["ZADD", index, "1", member]).await;
    }
    for name in ["a", "b", "c", "d"] {
        cache.set(Spec::of(name).tag("t"), &1).await.unwrap();
    }
    assert_eq!(number(&["ZCARD", index]).await, 4);
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 4);
    // The rest remembers the invalidation, for some minutes.
    assert_eq!(number(&["ZCARD", index]).await, 1);
    assert!(number(&["PTTL", index]).await > 0);
}

async fn x05_tags_of_the_spec_do_not_gather_those_of_the_calls(place: &Place) {
    let cache = place.cache();
    let call = async |id: u32| {
        let spec = Spec::of("user").param("id", id).tag("users");
        runs_with(&cache, spec, async || scope::tag(format!("user:{id}"))).await
    };
    assert!(join_all((0..1_000).map(&call)).await.into_iter().all(|ran| ran));
    assert_eq!(cache.invalidate(tag("user:1")).await.unwrap(), 1);
    assert_eq!(cache.invalidate(tag("users")).await.unwrap(), 999);
}

#[tokio::test]
async fn x17_an_invalidation_costs_as_much_as_it_removes() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let cache = Place::redis(patient(&format!("redis://127.0.0.1:{}", wire.port()))).cache();
    // The first time, the scripts are sent to the server.
    let mut costs = Vec::new();
    for others in [0, 0, 2_000] {
        join_all((0..others).map(|name| cache.set(format!("other {name}"), &1))).await;
        for name in 0..10 {
            cache.set(Spec::of(name.to_string()).tag("t"), &1).await.unwrap();
        }
        wire.reset();
        assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 10);
        assert_eq!(wire.count("SCAN") + wire.count("KEYS"), 0);
        costs.push(wire.commands().len());
    }
    assert_eq!(costs[1], costs[2]);
}

async fn x18_a_tag_is_a_whole_name(place: &Place) {
    let cache = place.cache();
    for name in ["StoreId=66", "OldStoreId=6", "StoreId=6 ", "storeid=6", "StoreId=*", "StoreId=?", "StoreId=[6]"] {
        cache.set(Spec::of(name).tag(name), &1).await.unwrap();
    }
    assert_eq!(cache.invalidate(Tag::param("StoreId", &6.into(), mrc::KeyFormat::TypeScript)).await.unwrap(), 0);
    assert_eq!(cache.invalidate(tag("StoreId=*")).await.unwrap(), 1);
    assert_eq!(cache.len().await.unwrap(), 6);
}

async fn d126_d144_a_store_by_hand(place: &Place) {
    let cache = place.cache();
    assert_eq!((cache.len().await.unwrap(), cache.get::<u32>("missing").await.unwrap()), (0, None));
    assert!(!cache.contains("missing").await.unwrap() && !cache.remove("missing").await.unwrap());
    assert_eq!(cache.ttl("missing").await.unwrap(), None);
    assert_eq!(cache.invalidate(tag("missing")).await.unwrap(), 0);
    // Many tags of one entry, and many entries of one tag.
    let names: Vec<String> = (0..20).map(|number| format!("k{number}")).collect();
    assert!(cache.set(Spec::of("k").tags(&names), "v").await.unwrap());
    for name in &names {
        assert!(cache.set(Spec::of(name.clone()).tag("all"), name).await.unwrap());
    }
    assert!(cache.ttl("k").await.unwrap().is_some());
    assert_eq!(cache.invalidate(tag("k7")).await.unwrap(), 1);
    assert_eq!(cache.invalidate(tag("all")).await.unwrap(), 20);
    assert_eq!(cache.len().await.unwrap(), 0);
}

async fn d145_d156_stores_are_apart_and_a_tag_is_no_key(place: &Place) {
    let cache = place.cache();
    // An entry's name is the tag of another: an invalidation removes only entries with the tag.
    cache.set(Spec::of("user:123").tag("org:1"), &1).await.unwrap();
    cache.set(Spec::of("posts:123").tag("user:123"), &1).await.unwrap();
    cache.set(Spec::of("comments:123").tag("posts:123"), &1).await.unwrap();
    assert_eq!(cache.invalidate(tag("user:123")).await.unwrap(), 1);
    assert!(cache.contains("user:123").await.unwrap() && cache.contains("comments:123").await.unwrap());

    let elsewhere = Place::memory().cache();
    elsewhere.set(Spec::of("user:123").tag("org:1"), &2).await.unwrap();
    assert_eq!(cache.invalidate(tag("org:1")).await.unwrap(), 1);
    assert_eq!(elsewhere.get("user:123").await.unwrap(), Some(2));
}

/// A computation in flight isn't a value, though an invalidation ends it too.
async fn an_invalidation_counts_values(place: &Place) {
    let cache = place.cache();
    let spec = || Spec::of("a").tag("t");
    cache.set(spec(), &1).await.unwrap();
    let meanwhile = cache.get_or("b", async || {
        cache.remove("a").await.unwrap();
        cache
            .get_or(spec(), async || {
                assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 0);
                2
            })
            .await
    });
    assert_eq!(meanwhile.await, 2);
    assert!(!cache.contains("a").await.unwrap());
    assert_eq!(place.store().get("app:a").await.unwrap(), None);
}
