//! A peer's drop removes our entries, and ours the peer's. Where the two differ, ours drops less.

use mrc::{DropRequest, Params, params};
use serde_json::json;

use super::{Side, World, name, with_both_peers};
use crate::client::support::{HOUR, SQL};

tests!(with_both_peers, their_drop_removes_our_entries, our_drop_removes_their_entries);

const PAIRS: &str = "SELECT id FROM items WHERE id = ? AND version = ?";
const HASH: &str = "d6f3536ac027efd4916a172a39156f97c989bfd3";

struct Names {
    store: &'static str,
    state: &'static str,
}

impl Names {
    fn new() -> Self {
        Self { store: name("StoreId"), state: name("State") }
    }

    fn params(&self, store: u32, state: u32) -> Params {
        Params::new().with(self.store, store).with(self.state, state)
    }
}

const ALL: [(u32, u32); 4] = [(6, 1), (6, 2), (7, 1), (7, 2)];

async fn left(world: &World, side: &Side, names: &Names) -> Vec<(u32, u32)> {
    let client = world.client(side);
    let mut left = Vec::new();
    for (store, state) in ALL {
        let read = client.read_from_cache(side.query(PAIRS), names.params(store, state)).await.unwrap();
        left.extend(read.map(|_| (store, state)));
    }
    left
}

async fn their_drop_removes_our_entries(world: &World, side: &Side) {
    let names = Names::new();
    let client = world.client(side);
    for (store, state) in ALL {
        client.query_with_cache(side.query(PAIRS), names.params(store, state), HOUR).await.unwrap();
    }
    assert_eq!(left(world, side, &names).await, ALL);
    assert_eq!(side.drop(&[names.store, names.state], &[json!(6), json!(1)], true).await, json!(1));
    assert_eq!(left(world, side, &names).await, [(6, 2), (7, 1), (7, 2)]);
    assert_eq!(side.drop(&[names.store, names.state], &[json!(6), json!(1)], false).await, json!(2));
    assert_eq!(left(world, side, &names).await, [(7, 2)]);
}

async fn our_drop_removes_their_entries(world: &World, side: &Side) {
    let server = world.server();
    let names = Names::new();
    for (store, state) in ALL {
        side.ask(PAIRS, &[json!(store), json!(state)], &[names.store, names.state]).await;
    }
    assert_eq!(left(world, side, &names).await, ALL);
    assert_eq!(server.drop_outdated_cache(DropRequest::all(names.params(6, 1))).await.unwrap(), 1);
    assert_eq!(left(world, side, &names).await, [(6, 2), (7, 1), (7, 2)]);
    assert_eq!(server.drop_outdated_cache(names.params(6, 1)).await.unwrap(), 2);
    assert_eq!(left(world, side, &names).await, [(7, 2)]);
    // Removed entries are read anew, by the peers too.
    let id = name("Id");
    side.ask(SQL, &[json!(5)], &[id]).await;
    world.write(9).await;
    server.drop_outdated_cache(Params::new().with(id, 5)).await.unwrap();
    let side = world.anew(side).await;
    assert_eq!(side.ask(SQL, &[json!(5)], &[id]).await, json!([{"id": 5, "version": 9}]));
    world.write(1).await;
}

/// A boolean and a null have two spellings each. Our drop finds both.
#[tokio::test]
async fn our_drop_removes_keys_of_every_spelling() {
    let world = World::open().await;
    let (active, text) = (name("Active"), name("signature"));
    for (ours, theirs) in [(mrc::key::Value::Bool(true), json!(true)), (mrc::key::Value::Null, json!(null))] {
        for side in world.sides() {
            side.call("write", text, std::slice::from_ref(&theirs), &[active]).await;
        }
        assert_eq!(world.server().drop_outdated_cache(Params::new().with(active, ours)).await.unwrap(), 2);
    }
}

/// Keys in which `{s}` is the name of the store and `{t}` that of the state.
const KEYS: [&str; 12] = [
    "{s}=6_{h}", "{s}=66_{h}", "{s}=6.5_{h}", "My{s}=6_{h}", "{s}=6_{t}=open_{h}", "{t}=open_{s}=6_{h}",
    "{t}=open_{s}=66_{h}", "{t}=closed_{s}=6_{h}", "{t}=opened_{s}=6_{h}", "{s}=7_{t}=open_{h}", "{t}={s}=6_{h}",
    "{s}=5_{h}",
];
/// These aren't cached entries.
const FOREIGN: [&str; 3] = ["{s}=6", "session:{s}=6:{t}=open", "{s}=6_{t}=open"];

fn key(template: &str, names: &Names) -> String {
    template.replace("{s}", names.store).replace("{t}", names.state).replace("{h}", HASH)
}

async fn set_all(world: &World) -> Names {
    let names = Names::new();
    for template in KEYS.iter().chain(&FOREIGN) {
        world.redis.cli(&["SET", &key(template, &names), "[]", "EX", "600"]).await;
    }
    names
}

async fn survivors(world: &World, templates: &[&'static str], names: &Names) -> Vec<&'static str> {
    let mut left = Vec::new();
    for template in templates {
        if world.exists(&key(template, names)).await {
            left.push(*template);
        }
    }
    left
}

#[tokio::test]
async fn a_whole_segment_and_nothing_else() {
    let world = World::open().await;
    let names = set_all(&world).await;
    assert_eq!(world.server().drop_outdated_cache(Params::new().with(names.store, 6)).await.unwrap(), 5);
    let stay = [
        "{s}=66_{h}", "{s}=6.5_{h}", "My{s}=6_{h}", "{t}=open_{s}=66_{h}", "{s}=7_{t}=open_{h}", "{t}={s}=6_{h}",
        "{s}=5_{h}",
    ];
    assert_eq!(survivors(&world, &KEYS, &names).await, stay);
    assert_eq!(survivors(&world, &FOREIGN, &names).await, FOREIGN);

    let names = set_all(&world).await;
    let both = Params::new().with(names.store, 6).with(names.state, "open");
    assert_eq!(world.server().drop_outdated_cache(DropRequest::all(both)).await.unwrap(), 2);
    let gone: Vec<_> =
        KEYS.into_iter().filter(|key| ["{s}=6_{t}=open_{h}", "{t}=open_{s}=6_{h}"].contains(key)).collect();
    let left = survivors(&world, &KEYS, &names).await;
    assert!(left.len() == KEYS.len() - 2 && gone.iter().all(|key| !left.contains(key)), "{left:?}");
}

#[tokio::test]
async fn the_substring_mode_drops_the_entries_that_the_peers_drop() {
    let world = World::open().await;
    for all in [false, true] {
        let ours = set_all(&world).await;
        let pairs = Params::new().with(ours.store, 6).with(ours.state, "open");
        let request = if all { DropRequest::all(pairs) } else { DropRequest::any(pairs) };
        let dropped = world.server().drop_outdated_cache(request.substring()).await.unwrap();
        let left = survivors(&world, &KEYS, &ours).await;
        assert_eq!(dropped, (KEYS.len() - left.len()) as u64);
        // Keys that are no cached entries stay. The peers differ here.
        assert_eq!(survivors(&world, &FOREIGN, &ours).await, FOREIGN);

        for side in world.sides() {
            let theirs = set_all(&world).await;
            side.drop(&[theirs.store, theirs.state], &[json!(6), json!("open")], all).await;
            assert_eq!(survivors(&world, &KEYS, &theirs).await, left, "all: {all}, {:?}", side.keys);
            assert!(survivors(&world, &FOREIGN, &theirs).await.len() < FOREIGN.len());
        }
    }
}

#[tokio::test]
async fn a_drop_of_nothing_drops_nothing() {
    let world = World::open().await;
    let names = set_all(&world).await;
    assert!(world.server().drop_outdated_cache(DropRequest::all(params! {})).await.is_err());
    assert_eq!(survivors(&world, &KEYS, &names).await, KEYS);
}
