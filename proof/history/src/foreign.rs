//! Writers that invalidate through the published peers.

use std::sync::Arc;
use std::time::Duration;

use mrc_tests::Peer;
use mysql_async::Pool;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::json;

use crate::items::{PARAM, commit, draw, draw_pause};
use crate::record::{By, Count, Record, Write};
use crate::sink::History;
use crate::{Res, clock};

const THINK: u64 = 60;
/// The peers have no time limit of their own.
const LIMIT: Duration = Duration::from_secs(10);

/// Writes and has the peer invalidate, until it is dropped.
///
/// The peers' wire has no faults: a peer that can't connect reports a drop of nothing as a success.
pub(crate) async fn write(by: By, redis: String, pool: Pool, seed: u64, history: Arc<History>) -> Res<()> {
    let mut rng = SmallRng::seed_from_u64(seed);
    loop {
        let peer = match by {
            By::Npm => Peer::npm(&redis, "").await,
            _ => Peer::pypi(&redis, "").await,
        };
        loop {
            let item = draw(&mut rng);
            let version = commit(&pool, item).await?;
            let committed = clock::now();
            let request = json!({"op": "drop", "names": [PARAM], "values": [item]});
            let answer = tokio::time::timeout(LIMIT, peer.try_call(&request)).await;
            let dropped = matches!(answer, Ok(Ok(_))).then(clock::now);
            history.tell(Record::Write(Write { by, item, version, committed, dropped }));
            if answer.is_err() {
                break;
            }
            tokio::time::sleep(draw_pause(&mut rng, THINK)).await;
        }
        history.count(Count::PeerRestarted);
    }
}
