//! Copies outlive our values: a peer's drop finds them, and its readers don't.

use std::time::Duration;

use mrc::config::MySqlConfig;
use mrc::{Error, Params, Source};
use mrc_tests::{Mode, Proxy};
use serde_json::{Value as Json, json};

use super::{Side, World, name};
use crate::client::support::{SQL, until, version};

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

#[tokio::test]
async fn their_drop_removes_our_stale_copy() {
    let world = World::open().await;
    let wire = Proxy::to(world.database.port()).await;
    for side in world.sides() {
        for all in [false, true] {
            let left = Left::behind(&world, side, &wire).await;
            assert_eq!(side.drop(&[left.id], &[json!(4)], all).await, json!(0));
            assert_eq!(version(&left.ask(side).await.unwrap()), 1);
            assert_eq!(side.drop(&[left.id], &[json!(3)], all).await, json!(1));
            assert!(!world.exists(&left.copy).await);
            let error = left.ask(side).await.unwrap_err();
            assert!(matches!(error, Error::Database(_)) && error.is_retryable(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_copy_is_nothing_to_their_readers() {
    let world = World::open().await;
    let wire = Proxy::to(world.database.port()).await;
    for side in world.sides() {
        world.write(1).await;
        let left = Left::behind(&world, side, &wire).await;
        assert_eq!(side.read(&side.text(SQL), &[json!(3)], &[left.id]).await, Json::Null);
        world.write(2).await;
        let theirs = json!([{"id": 3, "version": 2}]);
        assert_eq!(side.ask(SQL, &[json!(3)], &[left.id]).await, theirs);
        // The peer's entry is a value, and better than a copy.
        let hit = left.ask(side).await.unwrap();
        assert_eq!((hit.source(), hit.json::<Json>().unwrap()), (Source::Cache, theirs));
    }
}
