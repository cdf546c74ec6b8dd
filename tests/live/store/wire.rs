//! Commands and data in Redis: the contract with every other reader.

use std::sync::Arc;

use bytes::Bytes;
use fred::util::redis_keyslot;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_store::{Bound, CacheStore, Claim, Life, Policy, RedisStore, ScanPattern, Terms, ToClaim, ToFill, Token};
use mrc_tests::{Proxy, Redis, RedisCluster, unique};

use super::{LONG, alone, keys, patient, store, token, watched};

#[tokio::test]
async fn a_hit_is_one_get() {
    let (_redis, wire, cache) = watched().await;
    cache.put("k", "[1]".into(), LONG).await.unwrap();
    wire.reset();
    assert_eq!(cache.get("k").await.unwrap(), Some("[1]".into()));
    assert_eq!(wire.commands(), [["GET", "k"]]);

    wire.reset();
    let token = token();
    assert_eq!(cache.claim("m", &token, Terms::fill(LONG)).await.unwrap(), Claim::Granted);
    assert!(cache.fill("m", &token, "[1]".into(), LONG.into()).await.unwrap());
    wire.reset();
    for _ in 0..3 {
        cache.claim("m", &token, Terms::fill(LONG)).await.unwrap();
    }
    assert_eq!(wire.names(), ["EVALSHA"; 3], "a script is sent in full once");

    wire.reset();
    let many: Vec<String> = (0..2_500).map(|number| format!("k{number}")).collect();
    cache.remove(&keys(&many)).await.unwrap();
    assert_eq!(wire.count("UNLINK"), 6, "three for the values, and three for tags, which don't count");
    assert_eq!(wire.connections(), 0, "one connection serves all");
}

fn tokens(count: usize) -> Vec<(String, Token)> {
    (0..count).map(|number| (format!("k{number}"), token())).collect()
}

/// Claims and fills these keys at once. Each entry has a tag of its own and a common one.
async fn filled_at_once(cache: &dyn CacheStore, keys: &[(String, Token)]) {
    let claims = keys.iter().map(|(key, token)| ToClaim { key, token, terms: Terms::fill(LONG) });
    let claims = cache.claim_many_at(&claims.collect::<Vec<_>>()).await;
    let fills = keys.iter().zip(claims).map(|((key, token), claim)| {
        let (claim, since) = claim.unwrap();
        assert_eq!(claim, Claim::Granted);
        let tags = [(key.as_str().into(), since), ("all".into(), since)].into_iter().collect();
        ToFill { key, token, value: "[1]".into(), life: Life::from(LONG).tags(tags) }
    });
    for stored in cache.fill_many(fills.collect()).await {
        assert!(stored.unwrap());
    }
}

#[tokio::test]
async fn claims_of_many_and_fills_with_their_tags_are_a_script_each() {
    let (redis, wire, cache) = watched().await;
    // The server learns the scripts, and the client whether the server evicts.
    filled_at_once(&cache, &tokens(1)).await;
    // 250 entries a script, or their tags.
    for (entries, scripts) in [(2, 2), (100, 2), (125, 2), (126, 3), (250, 3), (251, 5)] {
        redis.cli(&["FLUSHALL"]).await;
        wire.reset();
        filled_at_once(&cache, &tokens(entries)).await;
        assert_eq!(wire.names(), vec!["EVALSHA"; scripts], "{entries} entries with two tags each");
    }
}

#[tokio::test]
async fn a_miss_with_tags_is_a_script_to_claim_and_one_to_fill() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let cache = Arc::new(store(&format!("redis://127.0.0.1:{}", wire.port())));
    let bounds = [Policy::Lru, Policy::Rr].map(|policy| Bound::new(policy).max(10));
    let views = bounds.map(|bound| Arc::clone(&cache).bounded("app", &bound).unwrap());
    for cache in [cache as Arc<dyn CacheStore>].into_iter().chain(views) {
        for (round, key) in ["app:f:a", "app:f:b"].into_iter().enumerate() {
            wire.reset();
            let token = token();
            assert_eq!(cache.get(key).await.unwrap(), None);
            let (claim, since) = cache.claim_at(key, &token, Terms::fill(LONG)).await.unwrap();
            assert_eq!(claim, Claim::Granted);
            let tags = ["a", "b"].map(|tag| (tag.into(), since)).into_iter().collect();
            assert!(cache.fill(key, &token, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap());
            // The first miss may send the scripts in full.
            assert!(round == 0 || wire.commands().len() == 3, "{cache:?}: {:?}", wire.commands());
        }
    }
}

#[tokio::test]
async fn many_first_callers_share_one_connection() {
    let (_redis, wire, cache) = watched().await;
    for value in join_all((0..100).map(|_| cache.get("k"))).await {
        assert_eq!(value.unwrap(), None);
    }
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn the_protocol_as_it_lies_in_redis() {
    let (redis, cache) = alone().await;
    let ask = async |command: &[&str]| redis.cli(command).await.trim_end_matches('\n').to_owned();
    let lives = async |key: &str| ask(&["PTTL", key]).await.parse::<i64>().unwrap() > 0;

    let claim = token();
    cache.claim("k", &claim, Terms::fill(LONG)).await.unwrap();
    assert_eq!(ask(&["EXISTS", "k"]).await, "1");
    assert_eq!(ask(&["STRLEN", "k"]).await, "0", "the peers read an empty text as a miss");
    assert_eq!(ask(&["GET", "mrc:l:{k}"]).await, claim.as_str());
    assert!(lives("k").await && lives("mrc:l:{k}").await, "nothing is kept for ever");

    assert!(cache.fill("k", &claim, "[1]".into(), LONG.into()).await.unwrap());
    assert_eq!(ask(&["GET", "k"]).await, "[1]");
    assert_eq!(ask(&["EXISTS", "mrc:l:{k}"]).await, "0");
    assert!(lives("k").await);

    let refresh = token();
    cache.claim("k", &refresh, Terms::refresh(LONG)).await.unwrap();
    assert_eq!(ask(&["GET", "k"]).await, "[1] ", "one space marks a refresh");
    assert_eq!(cache.get("k").await.unwrap(), Some("[1]".into()));
    assert!(lives("k").await && lives("mrc:l:{k}").await);

    cache.release("k", &refresh).await.unwrap();
    cache.put("p", "[2]".into(), LONG).await.unwrap();
    assert!(lives("p").await);
    redis.cli(&["SET", "forever", "[3]"]).await;
    assert_eq!(cache.ttl("forever").await.unwrap(), Some(std::time::Duration::MAX), "a peer's value without an end");
}

#[tokio::test]
async fn anybodys_removal_kills_a_fill() {
    let (redis, cache) = alone().await;
    for command in [&["DEL", "k"][..], &["UNLINK", "k"], &["FLUSHALL"], &["PEXPIRE", "k", "0"], &["SET", "k", "[0]"]] {
        let claim = token();
        assert_eq!(cache.claim("k", &claim, Terms::refresh(LONG)).await.unwrap(), Claim::Granted);
        redis.cli(command).await;
        assert!(!cache.fill("k", &claim, "[1]".into(), LONG.into()).await.unwrap(), "{command:?}");
        redis.cli(&["FLUSHALL"]).await;
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let (redis, cache) = alone().await;
    let forget = async || assert_eq!(redis.cli(&["SCRIPT", "FLUSH"]).await.trim(), "OK");
    for round in 0..3 {
        let (key, claim) = (format!("k{round}"), token());
        forget().await;
        let since = cache.now().await.unwrap();
        forget().await;
        assert_eq!(cache.claim(&key, &claim, Terms::fill(LONG)).await.unwrap(), Claim::Granted);
        forget().await;
        let tags = ["a", "b"].map(|tag| (tag.into(), since)).into_iter().collect();
        assert!(cache.fill(&key, &claim, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap());
        forget().await;
        assert!(cache.ttl(&key).await.unwrap().is_some());
        forget().await;
        assert!(!cache.release(&key, &claim).await.unwrap());
        forget().await;
        assert_eq!(cache.invalidate(&["a".into()]).await.unwrap(), 1);
        forget().await;
        assert_eq!(cache.claim_at(&key, &claim, Terms::fill(LONG)).await.unwrap().0, Claim::Granted);
        forget().await;
        assert!(cache.fill(&key, &claim, "[1]".into(), LONG.into()).await.unwrap());
    }
}

#[tokio::test]
async fn a_lease_lies_in_the_slot_of_its_key() {
    const SLOTS: usize = 16_384;
    let cluster = RedisCluster::shared().await;
    let cache = store(&cluster.url());
    // If the two keys had different slots, the cluster would refuse the script with CROSSSLOT.
    let name = unique("slot");
    let mut odd = vec![None; SLOTS];
    let mut missing = SLOTS;
    for number in 0.. {
        let key = format!("{{{number}}}{name}}}{{");
        let slot = &mut odd[usize::from(redis_keyslot(key.as_bytes()))];
        if slot.is_none() {
            *slot = Some(key);
            missing -= 1;
        }
        if missing == 0 {
            break;
        }
    }
    let odd: Vec<String> = odd.into_iter().flatten().collect();
    for some in odd.chunks(1_000) {
        let claims = join_all(some.iter().map(|key| async {
            let token = token();
            cache.claim(key, &token, Terms::fill(LONG)).await.unwrap() == Claim::Granted
                && cache.release(key, &token).await.unwrap()
        }));
        assert!(claims.await.into_iter().all(|held| held));
    }

    let node = cluster.node(0);
    for key in ["", "{", "}", "{}", "}{", "{}{a}", "a{b}c", "{{a}}", "{a", "a}", "ü{ö}ä"] {
        let theirs = node.cli(&["CLUSTER", "KEYSLOT", key]).await;
        assert_eq!(theirs.trim(), redis_keyslot(key.as_bytes()).to_string(), "{key}");
        let key = format!("{key}{}", if key.is_empty() { "" } else { &name });
        let token = token();
        assert_eq!(cache.claim(&key, &token, Terms::fill(LONG)).await.unwrap(), Claim::Granted, "{key}");
        assert!(cache.release(&key, &token).await.unwrap());
    }
}

#[tokio::test]
async fn a_scan_leaves_out_the_bookkeeping() {
    let redis = Redis::start().await;
    for prefix in ["", "m", "app:"] {
        let cache = RedisStore::new(patient(&redis.url()).prefix(prefix)).unwrap();
        for key in ["k", "{k}", ""] {
            cache.claim(key, &token(), Terms::fill(LONG)).await.unwrap();
        }
        redis.cli(&["SET", &format!("{prefix}mrc:clk"), "1"]).await;
        redis.cli(&["ZADD", &format!("{prefix}mrc:t:{{abc}}"), "1", "k"]).await;
        redis.cli(&["SET", &format!("{prefix}mrc:g:{{{prefix}k}}"), "{}"]).await;
        let mut found = cache.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
        found.sort();
        assert_eq!(found, [Bytes::new(), Bytes::from("k"), Bytes::from("{k}")]);
        redis.cli(&["FLUSHALL"]).await;
    }
}

#[tokio::test]
async fn keys_that_are_not_text_are_found_and_removed() {
    let redis = Redis::start().await;
    redis.cli(&["EVAL", r"return redis.call('SET', 'k\255\254', '1')", "0"]).await;
    let cache = store(&redis.url());
    let found = cache.scan(&ScanPattern::Containing("k".into())).try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!(found, [Bytes::from_static(b"k\xff\xfe")]);
    assert_eq!(cache.remove(&found).await.unwrap(), 1);
}
