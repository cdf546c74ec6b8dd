//! A peer in the middle of a fill of ours: its drop kills the fill, and to its readers the claim is a miss.

use mrc::{Params, Source};
use serde_json::{Value as Json, json};

use super::{Side, World, name};
use crate::client::support::{Gated, HOUR, Heard, SQL, until, version};

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

    /// Lets the reader go on. It has the old row, as it began before the write.
    async fn end(self, side: &Side) -> mrc::Answer {
        self.mysql.gate.add_permits(1_000);
        let early = self.reader.await.unwrap();
        assert_eq!((version(&early), early.source()), (1, Source::Computed));
        assert_eq!(self.heard.take(), ["Miss", "Refused"]);
        self.client.query_with_cache(side.query(SQL), Params::new().with(self.id, 3), HOUR).await.unwrap()
    }
}

#[tokio::test]
async fn their_drop_kills_our_fill() {
    let world = World::open().await;
    for side in world.sides() {
        for all in [false, true] {
            world.write(1).await;
            let flight = Flight::begin(&world, side).await;
            world.write(2).await;
            // They count the claim, and its bookkeeping.
            assert!(side.drop(&[flight.id], &[json!(3)], all).await.as_u64().unwrap() >= 1);
            assert!(!world.exists(&flight.key).await);
            let next = flight.end(side).await;
            assert_eq!((version(&next), next.source()), (2, Source::Computed));
        }
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

#[tokio::test]
async fn a_claim_is_a_miss_to_them() {
    let world = World::open().await;
    for side in world.sides() {
        world.write(1).await;
        let flight = Flight::begin(&world, side).await;
        let (params, names) = ([json!(3)], [flight.id]);
        assert_eq!(side.read(&side.text(SQL), &params, &names).await, Json::Null);
        world.write(2).await;
        let new = json!([{"id": 3, "version": 2}]);
        assert_eq!(side.ask(SQL, &params, &names).await, new);
        // They have stored it under the claim: our older value must not replace it.
        let next = flight.end(side).await;
        assert_eq!((next.json::<Json>().unwrap(), next.source()), (new, Source::Cache));
    }
}

#[tokio::test]
async fn without_a_drop_our_fill_is_theirs() {
    let world = World::open().await;
    for side in world.sides() {
        let flight = Flight::begin(&world, side).await;
        flight.mysql.gate.add_permits(1);
        flight.reader.await.unwrap();
        assert_eq!(flight.heard.take(), ["Miss", "Filled"]);
        let read = side.read(&side.text(SQL), &[json!(3)], &[flight.id]).await;
        assert_eq!(read, json!([{"id": 3, "version": 1}]));
    }
}
