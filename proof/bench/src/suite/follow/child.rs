//! The follower's process, as the suite sees it.

use mrc_tests::{Database, Redis, unique};
use serde_json::json;

use crate::Res;
use crate::args::By;
use crate::follower::{Followed, Until};
use crate::peer::{Peer, Urls};

/// A follower, which ends when this is dropped.
pub(in crate::suite) struct Child {
    peer: Peer,
    name: String,
}

impl Child {
    /// Starts a follower behind a position, or at the newest transaction if that is `""`.
    pub(in crate::suite) fn start(redis: &Redis, database: &Database, from: &str, by: By) -> Res<Self> {
        let urls = Urls { redis: &redis.url(), mysql: &database.url() };
        let name = unique("bench");
        Ok(Self { peer: Peer::follower(urls, &name, from, by)?, name })
    }

    /// Returns its name in the store.
    pub(in crate::suite) fn name(&self) -> &str {
        &self.name
    }

    /// Waits until so many transactions are applied, counted from its start.
    pub(in crate::suite) async fn until(&mut self, transactions: u64) -> Res<Followed> {
        self.peer.ask(&json!(Until { transactions })).await
    }
}
