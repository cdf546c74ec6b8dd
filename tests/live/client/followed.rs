//! Entries that a follower keeps right: what a real database says of its tables, and a registry
//! that Redis loses. The follower itself runs in the tests of mrc-follow.

use mrc::store::{CacheStore, Checkpoints, Claim, Life, Reached, RedisStore, Terms, Token};
use mrc::{MrcClient, Params, Tag, params};

use super::support::*;

struct Followed {
    shop: Shop,
    client: MrcClient,
}

impl Followed {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let client = shop.builder().follow("shop").build().unwrap();
        Self { shop, client }
    }

    async fn ask(&self, sql: &str, params: &Params) -> Vec<String> {
        self.client.query_with_cache(sql, params, HOUR).await.unwrap();
        self.tags(sql, params).await
    }

    /// Returns the tags of an entry, with `shop` for the test's own database. Returns
    /// none if there is no entry.
    async fn tags(&self, sql: &str, params: &Params) -> Vec<String> {
        let key = self.client.key(sql, params).unwrap();
        let Some(found) = self.client.store().look(key.as_str()).await.unwrap() else { return Vec::new() };
        let schema = self.shop.database.name().to_lowercase();
        found.tags.unwrap().iter().map(|(tag, _)| tag.as_str().replace(&schema, "shop")).collect()
    }

    async fn why_not(&self, sql: &str) -> String {
        self.shop.heard.take();
        self.client.query_with_cache(sql, Params::new(), HOUR).await.unwrap();
        self.shop.heard.take().into_iter().find(|text| text.starts_with("NotFollowed")).unwrap_or_default()
    }

    async fn registry(&self) -> String {
        let keys = self.shop.redis.cli(&["KEYS", &format!("{}mrc:w:*", self.shop.prefix)]).await;
        keys.trim().to_owned()
    }
}

#[tokio::test]
async fn a_view_brings_the_tables_behind_it() {
    let it = Followed::open().await;
    let database = &it.shop.database;
    database.execute("CREATE VIEW inner_items AS SELECT id, version FROM items WHERE version > 0").await;
    database.execute("CREATE TABLE names (item INT, name TEXT) ENGINE=MyISAM").await;
    let view = "CREATE VIEW named AS SELECT i.id, n.name FROM inner_items i LEFT JOIN names n ON n.item = i.id";
    database.execute(view).await;
    let tags = it.ask("SELECT name FROM named WHERE id = ?", &params! { "Id" => 1 }).await;
    let expected = "t:shop.inner_items t:shop.inner_items? t:shop.items t:shop.items? t:shop.named \
                    t:shop.named?id:int t:shop.named?id=1 t:shop.names t:shop.names?";
    assert_eq!(tags.join(" "), expected);
}

#[tokio::test]
async fn tables_are_found_whatever_the_case_of_their_names() {
    let it = Followed::open().await;
    it.shop.database.execute("CREATE TABLE `Mixed` (id INT PRIMARY KEY) ENGINE=MEMORY").await;
    let tags = it.ask("SELECT id FROM `Mixed` WHERE id = ?", &params! { "Id" => 1 }).await;
    assert_eq!(tags, ["t:shop.mixed", "t:shop.mixed?id:int", "t:shop.mixed?id=1"]);
}

#[tokio::test]
async fn what_is_not_followed_has_its_reason() {
    let it = Followed::open().await;
    let database = &it.shop.database;
    database.execute("CREATE TABLE other (id INT NOT NULL) ENGINE=CSV").await;
    let why = it.why_not("SELECT id FROM other").await;
    assert!(why.contains("CSV"), "{why}");
    database.execute("CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n").await;
    database.execute("CREATE VIEW twice_items AS SELECT twice(id) AS id FROM items").await;
    let why = it.why_not("SELECT id FROM twice_items").await;
    assert!(why.contains("twice"), "{why}");
    let why = it.why_not("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'none'").await;
    assert!(why.contains("information_schema"), "{why}");
}

#[tokio::test]
async fn a_lost_registry_refuses_a_fill_and_is_made_anew() {
    let it = Followed::open().await;
    let (one, two, three) = (params! { "Id" => 1 }, params! { "Id" => 2 }, params! { "Id" => 3 });
    assert_eq!(it.ask(SQL, &one).await.len(), 3);
    let registry = it.registry().await;
    it.shop.redis.cli(&["DEL", &registry]).await;
    // The process remembers that it registered, but the follower may have passed a change since.
    assert!(it.ask(SQL, &two).await.is_empty());
    assert_eq!(it.ask(SQL, &two).await.len(), 3);
    assert_eq!(it.registry().await, registry);
    it.shop.redis.cli(&["SET", &registry, "of another program"]).await;
    assert!(it.ask(SQL, &three).await.is_empty());
    assert_eq!(it.ask(SQL, &three).await.len(), 3);
}

#[tokio::test]
async fn a_registration_lasts_as_long_as_its_entries() {
    let it = Followed::open().await;
    it.ask(SQL, &params! { "Id" => 1 }).await;
    let left = async || it.shop.redis.cli(&["PTTL", &it.registry().await]).await.trim().parse::<u64>().unwrap();
    assert!(left().await > 60_000, "longer than the entry, which lives for a minute without a follower");
    let store = RedisStore::new(it.shop.redis_config(it.shop.redis.port())).unwrap();
    let (owner, key) = (Token::from_bits(1), "long");
    let claim = store.claim(key, &owner, Terms::fill(HOUR)).await.unwrap();
    assert_eq!(claim, Claim::Granted);
    let scheme = Tag::new(format!("t:{}.items?id:int", it.shop.database.name().to_lowercase()));
    let life = Life::from(HOUR).tags([(scheme, store.now().await.unwrap())].into_iter().collect());
    assert!(store.fill(key, &owner, "[1]".into(), life).await.unwrap());
    assert!(left().await > 3_600_000);
}

#[tokio::test]
async fn a_follower_that_runs_gives_entries_their_whole_ttl() {
    let it = Followed::open().await;
    let ttl = async |id: u32| -> u64 {
        it.ask(SQL, &params! { "Id" => id }).await;
        it.shop.redis.cli(&["TTL", &it.shop.key(id)]).await.trim().parse().unwrap()
    };
    assert!(ttl(1).await <= 60);
    let store = RedisStore::new(it.shop.redis_config(it.shop.redis.port())).unwrap();
    let owner = Token::from_bits(1);
    store.lease("shop", &owner, HOUR).await.unwrap();
    let progress = Reached { by_schemes: true, ..Reached::at("a:1") };
    store.advance("shop", &owner, None, progress).await.unwrap();
    // Another process, which looks anew.
    let it = Followed { client: it.shop.builder().follow("shop").build().unwrap(), ..it };
    it.ask(SQL, &params! { "Id" => 2 }).await;
    let ttl: u64 = it.shop.redis.cli(&["TTL", &it.shop.key(2)]).await.trim().parse().unwrap();
    assert!(ttl > 3000, "{ttl}");
}
