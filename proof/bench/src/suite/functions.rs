//! Measures cached functions and tags, beside queries and the PyPI functions with dependencies.

use mrc::{MrcClient, Query, params};
use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{Plan, progress, turns};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{STORE, TAGS, TTL, Urls, query};
use crate::peer::Peer;
use crate::results::{Calls, Work};

/// Hits and misses, by callers at once.
const KINDS: [(bool, u32); 4] = [(false, 64), (false, 1), (true, 64), (true, 1)];

struct Contender {
    name: String,
    peer: Peer,
    job: Job,
}

enum Job {
    /// Hits of a query.
    Query { text: String, tagged: bool },
    /// Hits and misses of a function. The decorator of sync functions has one caller.
    Function { tagged: bool, many: bool },
}

pub(super) async fn run(plan: Plan, mysql: &str) -> Res<Vec<Calls>> {
    let redis = Redis::start().await;
    let urls = Urls::new(&redis, mysql);
    let (mut contenders, client) = (contenders(&urls)?, urls.client()?);
    let mut all = Vec::new();
    for (miss, callers) in KINDS {
        progress(&format!("{} of functions, {callers} callers", if miss { "misses" } else { "hits" }));
        redis.cli(&["FLUSHALL"]).await;
        for contender in &contenders {
            contender.job.fill(&client).await?;
        }
        let able = contenders.iter_mut().filter(|contender| contender.job.is_able(miss, callers));
        let able = able.map(|contender| (contender.name.clone(), contender));
        let work = async |one: &mut &mut Contender, calls| one.work(&redis, miss, callers, calls).await;
        all.push(Calls { miss, callers, series: turns(plan, callers, 500.max(callers).into(), able, work).await? });
    }
    Ok(all)
}

impl Contender {
    async fn work(&mut self, redis: &Redis, miss: bool, callers: u32, calls: u64) -> Res<Work> {
        if miss {
            // The other contenders have stored the same entries, and indexes of tags grow.
            redis.cli(&["FLUSHALL"]).await;
        }
        self.peer.calls(&self.job.request(miss, callers, calls), [1; 2]).await
    }
}

impl Job {
    /// Fills the entry of a query. Queries are measured by hits alone.
    async fn fill(&self, client: &MrcClient) -> Res<()> {
        let Self::Query { text, tagged } = self else { return Ok(()) };
        let tags = if *tagged { &TAGS[..] } else { &[] };
        let query = tags.iter().fold(Query::new(text.as_str()), |query, &tag| query.tag(tag));
        client.query_with_cache(query, params! { "StoreId" => STORE }, TTL).await?;
        Ok(())
    }

    fn is_able(&self, miss: bool, callers: u32) -> bool {
        match self {
            Self::Query { .. } => !miss,
            Self::Function { many, .. } => *many || callers == 1,
        }
    }

    fn request(&self, miss: bool, callers: u32, calls: u64) -> Value {
        match self {
            Self::Query { text, tagged } => {
                json!({ "op": "hit", "query": text, "tagged": tagged, "callers": callers, "calls": calls })
            }
            Self::Function { tagged, .. } => {
                json!({ "op": "function", "miss": miss, "tagged": tagged, "callers": callers, "calls": calls })
            }
        }
    }
}

fn contenders(urls: &Urls) -> Res<Vec<Contender>> {
    let mut all = Vec::new();
    for runtime in [Runtime::Multi, Runtime::Current] {
        for tagged in [false, true] {
            let suffix = if tagged { "-tagged" } else { "" };
            // The space changes the hash of the text, and so makes another entry of the same size.
            let text = query(1) + if tagged { " " } else { "" };
            for (way, job) in
                [(Way::Typed, Job::Query { text, tagged }), (Way::Function, Job::Function { tagged, many: true })]
            {
                let peer = Peer::rust(way, runtime, urls)?;
                all.push(Contender { name: peer.name().to_owned() + suffix, peer, job });
            }
        }
    }
    for is_async in [true, false] {
        let peer = Peer::simple_dep(urls, is_async)?;
        all.push(Contender { name: peer.name().into(), peer, job: Job::Function { tagged: true, many: is_async } });
    }
    Ok(all)
}
