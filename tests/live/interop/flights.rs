//! A peer during our fill, and after our value: its drop ends the fill and removes the copy, and
//! its readers see neither.

use std::time::Duration;

use mrc::config::MySqlConfig;
use mrc::{Error, Params, Source};
use mrc_tests::{Mode, Proxy};
use serde_json::{Value as Json, json};

use super::{Side, World, name, with_both_peers};
use crate::client::support::{Gated, HOUR, Heard, SQL, until, version};

tests!(
    with_both_peers,
    their_drop_kills_our_fill,
    a_claim_is_a_miss_to_them,
    without_a_drop_our_fill_is_theirs,
    a_value_in_a_refresh_is_a_hit_to_them,
    their_drop_ends_our_refresh,
    their_drop_removes_our_stale_copy,
    a_copy_is_nothing_to_their_readers
);

/// A client of ours that has read an item and can't store it yet.
struct Flight {
    client: mrc::MrcClient,
    mysql: std::sync::Arc<Gated>,
    heard: Heard,
    reader: tokio::task::JoinHandle<mrc::Answer>,
    id: &'static str,
    key: String,
}

impl Flight {
    async fn begin(world: &World, side: &Side) -> Self {
        let (mysql, heard, id) = (Gated::closed(&world.database), Heard::default(), name("Id"));
        let client = world.builder(side).shared_executor(mysql.clone()).on_event(heard.clone()).build().unwrap();
        let query = side.query(SQL);
        let key = client.key(query.clone(), Params::new().with(id, 3)).unwrap().into_string();
        let reader = tokio::spawn({
            let client = client.clone();
            async move { client.query_with_cache(query, Params::new().with(id, 3), HOUR).await.unwrap() }
        });
        until(async || mysql.reads() == 1).await;
        assert_eq!(world.redis.cli(&["EXISTS", &key]).await, "1", "a claim lies under the key");
        assert_eq!(world.redis.cli(&["STRLEN", &key]).await, "0", "and it is empty");
        Self { client, mysql, heard, reader, id, key }
    }

    /// Lets the reader continue. It has the old row, as it began before the write.
    async fn end(self, side: &Side) -> mrc::Answer {
        self.mysql.gate.add_permits(1_000);
        let early = self.reader.await.unwrap();
        assert_eq!((version(&early), early.source()), (1, Source::Computed));
        assert_eq!(self.heard.take(), ["Miss", "Refused"]);
        self.client.query_with_cache(side.query(SQL), Params::new().with(self.id, 3), HOUR).await.unwrap()
    }
}

async fn their_drop_kills_our_fill(world: &World, side: &Side) {
    for all in [false, true] {
        world.write(1).await;
        let flight = Flight::begin(world, side).await;
        world.write(2).await;
        // The peers count the claim and its other keys.
        assert!(side.drop(&[flight.id], &[json!(3)], all).await.as_u64().unwrap() >= 1);
        assert!(!world.exists(&flight.key).await);
        let next = flight.end(side).await;
        assert_eq!((version(&next), next.source()), (2, Source::Computed));
    }
}

#[tokio::test]
async fn our_drop_kills_it_as_well() {
    let world = World::open().await;
    let flight = Flight::begin(&world, &world.npm).await;
    world.write(2).await;
    assert_eq!(world.server().drop_outdated_cache(Params::new().with(flight.id, 3)).await.unwrap(), 1);
    assert_eq!(version(&flight.end(&world.npm).await), 2);
}

async fn a_claim_is_a_miss_to_them(world: &World, side: &Side) {
    world.write(1).await;
    let flight = Flight::begin(world, side).await;
    let (params, names) = ([json!(3)], [flight.id]);
    assert_eq!(side.read(&side.text(SQL), &params, &names).await, Json::Null);
    world.write(2).await;
    let new = json!([{"id": 3, "version": 2}]);
    assert_eq!(side.ask(SQL, &params, &names).await, new);
    // The peer has stored its value over the claim. Our older value must not replace it.
    let next = flight.end(side).await;
    assert_eq!((next.json::<Json>().unwrap(), next.source()), (new, Source::Cache));
}

async fn without_a_drop_our_fill_is_theirs(world: &World, side: &Side) {
    let flight = Flight::begin(world, side).await;
    flight.mysql.gate.add_permits(1);
    flight.reader.await.unwrap();
    assert_eq!(flight.heard.take(), ["Miss", "Filled"]);
    let read = side.read(&side.text(SQL), &[json!(3)], &[flight.id]).await;
    assert_eq!(read, json!([{"id": 3, "version": 1}]));
}

/// A value of ours that is being refreshed. Its reader can't store the new one yet.
struct Refresh {
    mysql: std::sync::Arc<Gated>,
    heard: Heard,
    id: &'static str,
    key: String,
}

impl Refresh {
    async fn begin(world: &World, side: &Side) -> Self {
        world.write(1).await;
        let (mysql, heard, id) = (Gated::closed(&world.database), Heard::default(), name("Id"));
        let ask = async |client: mrc::MrcClient| {
            client.query_with_cache(side.query(SQL), Params::new().with(id, 3), HOUR).await.unwrap()
        };
        assert_eq!(ask(world.client(side)).await.source(), Source::Computed);
        world.write(2).await;
        let builder = world.builder(side).shared_executor(mysql.clone()).on_event(heard.clone());
        let client = builder.early_refresh(HOUR).jitter(0.0).build().unwrap();
        let key = client.key(side.query(SQL), Params::new().with(id, 3)).unwrap().into_string();
        // The value is near its end.
        assert_eq!(world.redis.cli(&["PEXPIRE", &key, "60000"]).await, "1");
        assert_eq!(ask(client).await.source(), Source::Cache);
        until(async || mysql.reads() == 1).await;
        assert_eq!(world.get(&key).await, r#"[{"id":3,"version":1}] "#);
        Self { mysql, heard, id, key }
    }

    async fn end(&self, last: &str) {
        self.mysql.gate.add_permits(1);
        let mut events = Vec::new();
        until(async || {
            events.extend(self.heard.take());
            events.last().is_some_and(|event| event == last)
        })
        .await;
        assert_eq!(events, ["Hit", "Refreshing", last]);
    }
}

async fn a_value_in_a_refresh_is_a_hit_to_them(world: &World, side: &Side) {
    let refresh = Refresh::begin(world, side).await;
    let (params, names) = ([json!(3)], [refresh.id]);
    let old = json!([{"id": 3, "version": 1}]);
    assert_eq!(side.read(&side.text(SQL), &params, &names).await, old);
    assert_eq!(side.ask(SQL, &params, &names).await, old);
    refresh.end("Filled").await;
    assert_eq!(world.get(&refresh.key).await, r#"[{"id":3,"version":2}]"#, "without the mark");
    let left: u64 = world.redis.cli(&["PTTL", &refresh.key]).await.parse().unwrap();
    assert!((60_001..=3_600_000).contains(&left), "a whole life again, not {left} ms");
    assert_eq!(side.read(&side.text(SQL), &params, &names).await, json!([{"id": 3, "version": 2}]));
}

async fn their_drop_ends_our_refresh(world: &World, side: &Side) {
    let refresh = Refresh::begin(world, side).await;
    assert!(side.drop(&[refresh.id], &[json!(3)], true).await.as_u64().unwrap() >= 1);
    assert!(!world.exists(&refresh.key).await);
    refresh.end("Refused").await;
    assert!(!world.exists(&refresh.key).await);
}

/// A client of ours with a copy of an item whose value has expired, and a database that is down.
struct Left {
    client: mrc::MrcClient,
    id: &'static str,
    copy: String,
}

impl Left {
    async fn behind(world: &World, side: &Side, wire: &Proxy) -> Self {
        wire.set(Mode::Pass);
        let mysql = MySqlConfig::from_url(&world.database.url()).unwrap().port(wire.port());
        let builder = world.builder(side).mysql_config(mysql).stale_on_error(Duration::from_secs(600));
        let it = Self { client: builder.build().unwrap(), id: name("Id"), copy: String::new() };
        let key = it.client.key(side.query(SQL), it.params()).unwrap().into_string();
        let life = Duration::from_millis(500);
        let filled = it.client.query_with_cache(side.query(SQL), it.params(), life).await.unwrap();
        assert_eq!(filled.source(), Source::Computed);
        until(async || !world.exists(&key).await).await;
        let copy = world.redis.cli(&["KEYS", &format!("*{key}*")]).await;
        assert!(copy.starts_with("mrc:s:") && copy.contains(&key), "{copy}");
        wire.set(Mode::Close);
        let it = Self { copy, ..it };
        assert_eq!(it.ask(side).await.unwrap().source(), Source::Stale);
        it
    }

    fn params(&self) -> Params {
        Params::new().with(self.id, 3)
    }

    async fn ask(&self, side: &Side) -> Result<mrc::Answer, Error> {
        self.client.query_with_cache(side.query(SQL), self.params(), Duration::from_secs(60)).await
    }
}

async fn their_drop_removes_our_stale_copy(world: &World, side: &Side) {
    let wire = Proxy::to(world.database.port()).await;
    for all in [false, true] {
        let left = Left::behind(world, side, &wire).await;
        assert_eq!(side.drop(&[left.id], &[json!(4)], all).await, json!(0));
        assert_eq!(version(&left.ask(side).await.unwrap()), 1);
        assert_eq!(side.drop(&[left.id], &[json!(3)], all).await, json!(1));
        assert!(!world.exists(&left.copy).await);
        let error = left.ask(side).await.unwrap_err();
        assert!(matches!(error, Error::Database(_)) && error.is_retryable(), "{error:?}");
    }
}

async fn a_copy_is_nothing_to_their_readers(world: &World, side: &Side) {
    let wire = Proxy::to(world.database.port()).await;
    world.write(1).await;
    let left = Left::behind(world, side, &wire).await;
    assert_eq!(side.read(&side.text(SQL), &[json!(3)], &[left.id]).await, Json::Null);
    world.write(2).await;
    let theirs = json!([{"id": 3, "version": 2}]);
    assert_eq!(side.ask(SQL, &[json!(3)], &[left.id]).await, theirs);
    // The peer's entry is a value, and better than a copy.
    let hit = left.ask(side).await.unwrap();
    assert_eq!((hit.source(), hit.json::<Json>().unwrap()), (Source::Cache, theirs));
}
