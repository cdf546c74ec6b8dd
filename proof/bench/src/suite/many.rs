//! Measures reads of 100 ids by one caller: hits, and misses with what they send.

use mrc::Many as Ids;
use mrc_tests::{Database, Proxy, Redis};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::{Value, json};

use super::{Plan, names, progress, turns};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{BY_ID, BY_IDS, ID, TTL, Urls};
use crate::peer::Peer;
use crate::results::{Many, ManyMisses, Series, Work};

const IDS: u32 = 100;

/// A contender, and whether it reads one id after another.
struct Contender {
    name: String,
    peer: Peer,
    each: bool,
}

pub(super) async fn run(plan: Plan, database: &Database) -> Res<Many> {
    let redis = Redis::start().await;
    let urls = Urls::new(&redis, database.url());
    progress("hits of 100 ids");
    // All contenders read the same entries, which mrc fills.
    let client = urls.client()?;
    client.query_many_with_cache(Ids::new(BY_ID, "id", ID).batch(BY_IDS), 1..=IDS, TTL).await?;
    let hits = hits(plan, &urls).await?;
    progress("misses of 100 ids");
    Ok(Many { ids: IDS, hits, misses: misses(plan, &redis, database).await? })
}

async fn hits(plan: Plan, urls: &Urls) -> Res<Vec<Series>> {
    let mut contenders = vec![Contender::of(Peer::npm(urls)?, false), Contender::of(Peer::mget(urls)?, false)];
    for runtime in [Runtime::Multi, Runtime::Current] {
        for (way, each) in
            [(Way::Fred, false), (Way::Bytes, false), (Way::Bytes, true), (Way::Typed, false), (Way::Typed, true)]
        {
            contenders.push(Contender::of(Peer::rust(way, runtime, urls)?, each));
        }
    }
    let contenders = contenders.into_iter().map(|contender| (contender.name.clone(), contender));
    turns(plan, 1, 50, contenders, async |contender: &mut Contender, calls| contender.work(calls).await).await
}

/// Measures calls of which each misses all ids, and what one call sends.
async fn misses(plan: Plan, redis: &Redis, database: &Database) -> Res<Vec<ManyMisses>> {
    let wire = Proxy::to(redis.port()).await;
    let mut all = Vec::new();
    // One connection counts: a new one would run a SELECT of its own.
    let mut admin = database.admin().await;
    for mut contender in missing(&Urls::behind(&wire, database.url()))? {
        // The first call connects, and the server learns the scripts.
        contender.miss(redis).await?;
        wire.reset();
        let before = selects(&mut admin).await?;
        contender.miss(redis).await?;
        let statements = selects(&mut admin).await? - before;
        all.push(ManyMisses { name: contender.name, commands: names(&wire), statements, rounds: Vec::new() });
    }
    let (mut contenders, calls) = (missing(&Urls::new(redis, database.url()))?, (plan.seconds * 80.0) as u32);
    for round in 0..=plan.rounds {
        for (contender, misses) in contenders.iter_mut().zip(&mut all) {
            let mut sum = Work::default();
            for _ in 0..calls {
                sum += contender.miss(redis).await?;
            }
            // The first round warms up.
            if round > 0 {
                misses.rounds.push(sum);
            }
        }
    }
    Ok(all)
}

fn missing(urls: &Urls) -> Res<[Contender; 3]> {
    let mrc = || Peer::rust(Way::Typed, Runtime::Multi, urls);
    Ok([Contender::of(mrc()?, false), Contender::of(mrc()?, true), Contender::of(Peer::npm(urls)?, false)])
}

/// Returns how many SELECTs the server has run.
async fn selects(admin: &mut Conn) -> Res<u64> {
    let row: Option<(String, u64)> = admin.query_first("SHOW GLOBAL STATUS LIKE 'Com_select'").await?;
    row.map(|(_, count)| count).ok_or_else(|| "the server counts no statements".into())
}

impl Contender {
    fn of(peer: Peer, each: bool) -> Self {
        Self { name: peer.name().to_owned() + if each { "-each" } else { "" }, peer, each }
    }

    async fn work(&mut self, calls: u64) -> Res<Work> {
        self.peer.calls(&request(self.each, calls), [IDS.into(); 2]).await
    }

    async fn miss(&mut self, redis: &Redis) -> Res<Work> {
        redis.cli(&["FLUSHALL"]).await;
        self.work(1).await
    }
}

fn request(each: bool, calls: u64) -> Value {
    json!({ "op": "many", "query": BY_ID, "batch": BY_IDS, "from": 1, "ids": IDS, "each": each, "calls": calls })
}
