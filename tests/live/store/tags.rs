//! Tags as stored in Redis, and their cost.

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_core::Tag;
use mrc_store::{CacheStore, Claim, Found, Life, Moment, RedisStore, ScanPattern, Tags, Terms, ToFill};
use mrc_tests::{Redis, RedisCluster, unique};

use super::{LONG, alone, patient, token, watched};

/// The index of the tag `a` of a store without a prefix, and of one with the prefix `shop:`.
const INDEX: &str = "mrc:t:{4618f47523e0904d5b29ffe6eaea8dfcbf9477a8}";
const INDEX_OF_SHOP: &str = "shop:mrc:t:{4618f47523e0904d5b29ffe6eaea8dfcbf9477a8}";

fn life(tags: &[&str], since: Moment) -> Life {
    Life::from(LONG).tags(tags.iter().map(|tag| ((*tag).into(), since)).collect())
}

async fn filled(cache: &RedisStore, key: &str, life: Life) {
    let claim = token();
    let terms = Terms::refresh(LONG).copy(life.has_copy());
    assert_eq!(cache.claim(key, &claim, terms).await.unwrap(), Claim::Granted);
    assert!(cache.fill(key, &claim, "[1]".into(), life).await.unwrap());
}

async fn ask(redis: &Redis, command: &[&str]) -> String {
    redis.cli(command).await.trim_end_matches('\n').to_owned()
}

async fn number(redis: &Redis, command: &[&str]) -> i64 {
    let answer = ask(redis, command).await;
    answer.trim().parse().unwrap_or_else(|_| panic!("{command:?}: {answer}"))
}

#[tokio::test]
async fn tags_as_they_lie_in_redis() {
    let (redis, cache) = alone().await;
    let since = cache.now().await.unwrap();
    assert_eq!(ask(&redis, &["GET", "mrc:clk"]).await, since.as_micros().to_string());
    filled(&cache, "k", life(&["a", "b\""], since).stale(LONG)).await;

    assert_eq!(number(&redis, &["STRLEN", "k"]).await, 4);
    let json = redis.cli(&["EVAL", "return cjson.encode(redis.call('GET', 'k'))", "0"]).await;
    assert_eq!(json.trim(), r#""[1]\n""#, "one line feed marks tags, and is JSON for everybody else");
    assert_eq!(number(&redis, &["STRLEN", "mrc:s:{k}"]).await, 4);
    let tags = format!(r#"{{"a":{0},"b\"":{0}}}"#, since.as_micros());
    assert_eq!(ask(&redis, &["GET", "mrc:g:{k}"]).await, tags);
    let lives = number(&redis, &["PTTL", "mrc:g:{k}"]).await - number(&redis, &["PTTL", "mrc:s:{k}"]).await;
    assert!(lives.abs() < 1_000, "the tags live as long as the copy: {lives} ms longer");

    assert_eq!(ask(&redis, &["ZRANGE", INDEX, "0", "-1"]).await, "k");
    assert_eq!(number(&redis, &["EXISTS", "mrc:l:{k}"]).await, 0);

    cache.claim("k", &token(), Terms::refresh(LONG)).await.unwrap();
    let json = redis.cli(&["EVAL", "return cjson.encode(redis.call('GET', 'k'))", "0"]).await;
    assert_eq!(json.trim(), r#""[1]\n ""#, "the mark of a refresh comes last");

    let found = cache.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!(found, [Bytes::from("k")], "tags, their indexes and the clock are no keys");
    assert_eq!(cache.remove(&found).await.unwrap(), 1, "copies and tags don't count");
    assert_eq!(number(&redis, &["EXISTS", "mrc:g:{k}"]).await, 0);

    cache.invalidate(&["a".into()]).await.unwrap();
    let members = ask(&redis, &["ZRANGE", INDEX, "0", "-1", "WITHSCORES"]).await;
    assert_eq!(members.trim(), ask(&redis, &["GET", "mrc:clk"]).await, "the invalidation's moment, and no key");

    let shop = RedisStore::new(patient(&redis.url()).prefix("shop:")).unwrap();
    let since = shop.now().await.unwrap();
    assert_eq!(
        ask(&redis, &["GET", "shop:mrc:clk"]).await,
        since.as_micros().to_string(),
        "each has a clock of its own"
    );
    filled(&shop, "k", life(&["a"], since)).await;
    assert_eq!(ask(&redis, &["ZRANGE", INDEX_OF_SHOP, "0", "-1"]).await, "shop:k");
    assert_eq!(number(&redis, &["EXISTS", "shop:mrc:g:{shop:k}"]).await, 1);
    cache.invalidate(&["a".into()]).await.unwrap();
    assert!(shop.get("k").await.unwrap().is_some(), "stores with other prefixes share no tags");
}

#[tokio::test]
async fn lost_tags_are_distinguished_from_no_tags() {
    let (redis, cache) = alone().await;
    for damage in [&["DEL", "mrc:g:{k}"][..], &["SET", "mrc:g:{k}", "nonsense"]] {
        let since = cache.now().await.unwrap();
        filled(&cache, "k", life(&["a"], since).stale(LONG)).await;
        redis.cli(damage).await;
        let lost = Some(Found { value: "[1]".into(), tags: None });
        assert_eq!(cache.look("k").await.unwrap(), lost);
        assert_eq!(cache.stale("k").await.unwrap(), lost);
        assert_eq!(cache.invalidate(&["a".into()]).await.unwrap(), 1, "it may still have the tag: {damage:?}");
        assert_eq!(cache.stale("k").await.unwrap(), None);
        filled(&cache, "k", life(&["a"], cache.now().await.unwrap())).await;
        redis.cli(&["SET", "k", "[2]"]).await;
        let foreign = Some(Found { value: "[2]".into(), tags: Some(Tags::default()) });
        assert_eq!(cache.look("k").await.unwrap(), foreign, "a value that somebody else wrote has none");
        assert_eq!(cache.invalidate(&["a".into()]).await.unwrap(), 0);
        cache.remove(&["k".into()]).await.unwrap();
    }
}

#[tokio::test]
async fn an_invalidation_ends_a_fill_that_may_have_registered_itself() {
    let (redis, cache) = alone().await;
    let claim = token();
    cache.put("k", "[1]".into(), LONG).await.unwrap();
    cache.claim("k", &claim, Terms::refresh(LONG)).await.unwrap();
    // A fill may have registered when the invalidation begins.
    redis.cli(&["ZADD", INDEX, "9000000000000000", "k"]).await;
    cache.invalidate(&["a".into()]).await.unwrap();
    assert!(!cache.fill("k", &claim, "[0]".into(), LONG.into()).await.unwrap());
}

#[tokio::test]
async fn a_registration_that_was_renewed_meanwhile_stays() {
    let (redis, wire, cache) = watched().await;
    let life = life(&["a"], cache.now().await.unwrap());
    filled(&cache, "k", life.clone()).await;
    let first = number(&redis, &["ZSCORE", INDEX, "k"]).await;
    filled(&cache, "k", life).await;
    assert!(number(&redis, &["ZSCORE", INDEX, "k"]).await > first, "each registration has a score of its own");
    wire.reset();
    cache.invalidate(&["a".into()]).await.unwrap();
    let prune = wire.commands().pop().unwrap();
    assert_eq!(prune[0], "EVAL");
    let prune: Vec<&str> = prune[1..].iter().map(String::as_str).collect();
    let again = [&["EVAL"][..], &prune].concat();
    redis.cli(&["ZADD", INDEX, "9000000000000000", "k"]).await;
    redis.cli(&again).await;
    assert_eq!(number(&redis, &["ZSCORE", INDEX, "k"]).await, 9_000_000_000_000_000);
}

#[tokio::test]
async fn an_index_is_pruned_and_expires_with_its_entries() {
    let (redis, cache) = alone().await;
    let since = cache.now().await.unwrap();
    for dead in 0..20 {
        redis.cli(&["ZADD", INDEX, &(1_000_000 + dead).to_string(), &format!("dead{dead}")]).await;
    }
    filled(&cache, "k", life(&["a"], since)).await;
    assert_eq!(number(&redis, &["ZCARD", INDEX]).await, 5, "each fill forgets up to 16 whose lives are long over");
    filled(&cache, "k", life(&["a"], since)).await;
    assert_eq!(ask(&redis, &["ZRANGE", INDEX, "0", "-1"]).await, "k");

    let pttl = async || number(&redis, &["PTTL", INDEX]).await;
    let (an_hour, remembered) = (3_600_000, 300_000);
    filled(&cache, "long", life(&["a"], since).ttl(LONG * 6)).await;
    let long = pttl().await;
    assert!((an_hour..=an_hour + remembered).contains(&long), "{long} ms: the longest life, and what is remembered");
    filled(&cache, "short", life(&["a"], since)).await;
    assert!(pttl().await > an_hour, "no index ends before its entries");
    filled(&cache, "copy", life(&["a"], since).ttl(LONG).stale(LONG * 12)).await;
    assert!(pttl().await > 2 * an_hour, "nor before their copies");
    assert_eq!(cache.invalidate(&["a".into()]).await.unwrap(), 4);
    assert_eq!(ask(&redis, &["KEYS", "mrc:g:*"]).await, "", "nor do tags outlive their entries");

    cache.invalidate(&["b".into()]).await.unwrap();
    let bucket = ask(&redis, &["KEYS", "mrc:e:*"]).await;
    let left = number(&redis, &["PTTL", &bucket]).await;
    assert!((remembered - 60_000..=remembered).contains(&left), "{left} ms: the bucket of a tag without an index");

    filled(&cache, "for ever", life(&["c"], cache.now().await.unwrap()).ttl(std::time::Duration::MAX)).await;
    assert_eq!(cache.invalidate(&["c".into()]).await.unwrap(), 1);
}

#[tokio::test]
async fn the_cost_of_tags() {
    let (_redis, wire, cache) = watched().await;
    let tags: Vec<Tag> = ["a", "b", "c"].map(Tag::from).into();
    // The first time, scripts are sent in full.
    filled(&cache, "k", life(&["a", "b", "c"], cache.now().await.unwrap())).await;
    cache.invalidate(&tags).await.unwrap();
    filled(&cache, "k", LONG.into()).await;
    cache.remove(&["k".into()]).await.unwrap();

    let (claim, since) = (token(), cache.now().await.unwrap());
    cache.claim("k", &claim, Terms::fill(LONG)).await.unwrap();
    wire.reset();
    assert!(cache.fill("k", &claim, "[1]".into(), life(&["a", "b", "c"], since)).await.unwrap());
    let sent = wire.commands();
    assert_eq!(sent.len(), 1, "all tags are registered and the value stored in one step: {sent:?}");
    assert_eq!(sent[0][4..6], ["k", "mrc:l:{k}"]);

    wire.reset();
    cache.look("k").await.unwrap();
    assert_eq!(wire.commands(), [["MGET", "k", "mrc:g:{k}"]]);

    wire.reset();
    assert_eq!(cache.invalidate(&tags).await.unwrap(), 1);
    assert_eq!(wire.commands().len(), 5, "each tag with the clock, the entries, the index: three after one another");

    let claim = token();
    cache.claim("k", &claim, Terms::fill(LONG)).await.unwrap();
    wire.reset();
    assert!(cache.fill("k", &claim, "[1]".into(), LONG.into()).await.unwrap());
    let sent = wire.commands();
    assert_eq!(sent.len(), 1, "without tags a fill is what it was");
    assert_eq!(sent[0][2..5], ["2", "k", "mrc:l:{k}"]);
}

#[tokio::test]
async fn the_empty_key_is_never_registered() {
    let (_redis, cache) = alone().await;
    let since = cache.now().await.unwrap();
    let [one, other] = [token(), token()];
    for claim in [&one, &other] {
        assert_eq!(cache.claim("", claim, Terms::fill(LONG)).await.unwrap(), Claim::Granted);
        let fill = ToFill { key: "", token: claim, value: "[1]".into(), life: life(&["a"], since) };
        let stored = match claim == &one {
            true => cache.fill("", claim, fill.value, fill.life).await.unwrap(),
            false => cache.fill_many(vec![fill]).await.remove(0).unwrap(),
        };
        assert!(!stored, "in an index the empty key is the invalidation");
    }
    // The tag is none the worse for it.
    filled(&cache, "k", life(&["a"], since)).await;
}

/// Once per connection, and with tags only.
#[tokio::test]
async fn a_server_that_may_evict_tags_is_named() {
    let (redis, wire, cache) = watched().await;
    redis.cli(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]).await;
    cache.ping().await.unwrap();
    wire.reset();
    cache.put("k", "[1]".into(), LONG).await.unwrap();
    cache.get("k").await.unwrap();
    assert_eq!(cache.tag_risks().await.unwrap(), [""; 0], "nobody uses tags yet");
    assert_eq!(wire.count("INFO"), 0);
    for _ in 0..3 {
        filled(&cache, "k", life(&["a"], cache.now().await.unwrap())).await;
    }
    assert_eq!(wire.count("INFO"), 1);
    let risks = cache.tag_risks().await.unwrap();
    assert!(risks.len() == 1 && risks[0].contains("volatile-lru") && risks[0].contains("noeviction"), "{risks:?}");
    redis.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    assert_eq!(cache.tag_risks().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn callers_at_one_time_share_a_look_at_the_clock() {
    let (_redis, wire, cache) = watched().await;
    let before = cache.now().await.unwrap();
    wire.reset();
    let moments = join_all((0..20).map(|_| cache.now())).await;
    assert_eq!(wire.commands().len(), 1);
    assert!(moments.iter().all(|moment| moment.as_ref().unwrap() == moments[0].as_ref().unwrap()));
    cache.invalidate(&["a".into()]).await.unwrap();
    let after = cache.now().await.unwrap();
    assert!(
        before <= *moments[0].as_ref().unwrap() && *moments[0].as_ref().unwrap() < after,
        "the next one asks again"
    );
}

#[tokio::test]
async fn a_tag_of_very_many() {
    const MANY: usize = 5_000;
    let redis = Redis::start().await;
    let cluster = RedisCluster::shared().await;
    for url in [redis.url(), cluster.url()] {
        // Tags share moments with those of the same prefix.
        let cache = RedisStore::new(patient(&url).prefix(unique("apart"))).unwrap();
        let (name, other) = (unique("many"), Tag::from(unique("other")));
        let tag = Tag::from(&name);
        let since = cache.now().await.unwrap();
        let keys: Vec<String> = (0..MANY).map(|number| format!("{name}:{number}")).collect();
        for some in keys.chunks(500) {
            let fills = some.iter().enumerate().map(|(number, key)| {
                let tags = if number % 2 == 0 { vec![name.as_str()] } else { vec![name.as_str(), other.as_str()] };
                filled(&cache, key, life(&tags, since))
            });
            join_all(fills).await;
        }
        let both = cache.invalidate(&[tag.clone(), other.clone()]).await.unwrap();
        assert_eq!(both, MANY as u64 / 2);
        let rest = cache.invalidate(std::slice::from_ref(&tag)).await.unwrap();
        assert_eq!(rest, MANY as u64 / 2);
        let pattern = ScanPattern::Beginning(name);
        let left = cache.scan(&pattern).try_collect::<Vec<_>>().await.unwrap().concat();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(cache.invalidate(&[tag, other]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back() {
    let (redis, cache) = alone().await;
    let ahead = Moment::from_micros(cache.now().await.unwrap().as_micros() + 3_600_000_000);
    redis.cli(&["SET", "mrc:clk", &ahead.as_micros().to_string()]).await;
    assert_eq!(cache.now().await.unwrap(), ahead, "no moment is before another that was told");
    let claim = token();
    cache.claim("k", &claim, Terms::fill(LONG)).await.unwrap();
    cache.invalidate(&["a".into()]).await.unwrap();
    assert!(!cache.fill("k", &claim, "[0]".into(), life(&["a"], ahead)).await.unwrap());
    let since = cache.now().await.unwrap();
    assert!(since > ahead, "an invalidation is later than every moment before");
    filled(&cache, "k", life(&["a"], since)).await;
}

#[tokio::test]
async fn invalidated_tags_that_nothing_uses_leave_only_buckets() {
    let (redis, cache) = alone().await;
    let since = cache.now().await.unwrap();
    let unused: Vec<Tag> = (0..30_000).map(|number| Tag::new(format!("unused:{number}"))).collect();
    for some in unused.chunks(1_000) {
        join_all(some.iter().map(|tag| cache.invalidate(std::slice::from_ref(tag)))).await;
    }
    let keys = number(&redis, &["DBSIZE"]).await;
    assert!(keys <= 16_384 + 1, "{keys} keys for 30,000 tags");
    assert_eq!(ask(&redis, &["KEYS", "mrc:t:*"]).await, "", "no index");
    // A fill in flight that had one of these tags is refused all the same, and a later one isn't.
    let claim = token();
    cache.claim("k", &claim, Terms::fill(LONG)).await.unwrap();
    assert!(!cache.fill("k", &claim, "[1]".into(), life(&["unused:7"], since)).await.unwrap());
    let now = cache.now().await.unwrap();
    filled(&cache, "k", life(&["unused:7"], now)).await;
    assert_eq!(cache.invalidate(&["unused:7".into()]).await.unwrap(), 1);
}
