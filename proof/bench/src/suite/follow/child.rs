//! The follower's process, as the suite sees it.

use mrc_tests::{Database, Redis, unique};
use serde_json::json;

use crate::Res;
use crate::follower::{Followed, Until};
use crate::peer::{Peer, Urls};

/// A follower, which ends when this is dropped.
pub(super) struct Child(Peer);

impl Child {
    /// Starts a follower behind a position, or at the newest transaction if that is `""`.
    pub(super) fn start(redis: &Redis, database: &Database, from: &str) -> Res<Self> {
        let urls = Urls { redis: &redis.url(), mysql: &database.url() };
        Peer::follower(urls, &unique("bench"), from).map(Self)
    }

    /// Waits until so many transactions are applied, counted from its start.
    pub(super) async fn until(&mut self, transactions: u64) -> Res<Followed> {
        self.0.ask(&json!(Until { transactions })).await
    }
}
