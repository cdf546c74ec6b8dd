//! mrc, with Redis. Readers and the writer have separate connections, as separate services have.

use async_trait::async_trait;
use mrc::{Error, MrcClient, MrcServer, Params, params};

use super::{Contender, TTL};
use crate::row::Row;

pub(super) struct Mrc {
    client: MrcClient,
    server: MrcServer,
}

impl Mrc {
    pub(super) fn new(redis: &str) -> Self {
        let client = MrcClient::builder().redis(redis).build().expect("the client builds");
        Self { client, server: MrcServer::new(redis).expect("the server builds") }
    }
}

#[async_trait]
impl Contender for Mrc {
    async fn read(&self, key: u64, row: Row) -> String {
        let load = || async { Ok::<_, Error>(row.load().await) };
        self.client.with_cache(load, "race_v1", id(key), TTL).await.expect("mrc answers")
    }

    async fn invalidate(&self, key: u64) {
        self.server.drop_outdated_cache(id(key)).await.expect("mrc drops");
    }
}

fn id(key: u64) -> Params {
    params! { "RaceId" => key }
}
