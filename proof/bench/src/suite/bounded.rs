//! Measures full bounded caches, beside the PyPI package of bounded caches: hits, evicting misses.

use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{Plan, calls_for, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{FUNCTION, Urls, bounded_name, order};
use crate::peer::Peer;
use crate::results::{Bounded, Series, Work};

const POLICIES: [&str; 2] = ["lru_t", "lfu"];
const SIZES: [u32; 2] = [1_000, 1_000_000];
/// Hits come first, because misses evict the entries that are hit. Then callers at once.
const KINDS: [(bool, u32); 4] = [(false, 64), (false, 1), (true, 64), (true, 1)];
/// The longest time of a round, in seconds. Rounds are many here.
const SECONDS: f64 = 0.12;

/// Stores entries from the first to the last, as mrc's scripts do.
const FILL: &str = "local time = redis.call('TIME')
for id = ARGV[1], ARGV[2] do
    local field = ARGV[3] .. string.format('%d', id) .. ')'
    redis.call('ZADD', KEYS[1], ARGV[5] == 'lru_t' and string.format('%.17g', time[1] * 1e6 + time[2]) or 1, field)
    redis.call('HSET', KEYS[2], field, ARGV[4])
    redis.call('ZADD', KEYS[3], string.format('%.17g', (time[1] + 7200) * 1e3), field)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 3600000) end
return redis.status_reply('OK')";
const AT_ONCE: u32 = 50_000;

struct Contender {
    peer: Peer,
    /// Whether it can have this many callers: one for the sync decorator, more for the async one.
    is_able: fn(u32) -> bool,
}

/// One contender's rounds on one size.
struct Turn {
    contender: usize,
    entries: u32,
    calls: u64,
    series: Series,
    server: Series,
}

pub(super) async fn run(plan: Plan) -> Res<Vec<Bounded>> {
    let plan = Plan { rounds: plan.rounds.min(5), seconds: plan.seconds.min(SECONDS) };
    let redis = Redis::start().await;
    let urls = &Urls::new(&redis, "");
    let mut contenders = [
        Contender { peer: Peer::rust(Way::Function, Runtime::Multi, urls)?, is_able: |_| true },
        Contender { peer: Peer::rust(Way::Function, Runtime::Current, urls)?, is_able: |_| true },
        Contender { peer: Peer::func_cache(urls, true)?, is_able: |callers| callers > 1 },
        Contender { peer: Peer::func_cache(urls, false)?, is_able: |callers| callers == 1 },
    ];
    let (mut all, mut next) = (Vec::new(), 0);
    for policy in POLICIES {
        redis.cli(&["FLUSHALL"]).await;
        for entries in SIZES {
            progress(&format!("bounded caches, {policy}: filling {entries} entries in"));
            fill(&redis, policy, entries).await?;
            let request = json!({ "op": "fill", "policy": policy, "entries": entries });
            contenders[2].peer.ask::<Value>(&request).await?;
        }
        for (miss, callers) in KINDS {
            progress(&format!(
                "{} in bounded caches, {policy}, {callers} callers",
                if miss { "misses" } else { "hits" }
            ));
            all.extend(turns(plan, &redis, &mut contenders, policy, miss, callers, &mut next).await?);
        }
        for entries in SIZES {
            check(&redis, policy, entries).await?;
        }
    }
    Ok(all)
}

/// Both sizes take turns too: a disturbance in a round slows down both.
async fn turns(
    plan: Plan,
    redis: &Redis,
    contenders: &mut [Contender],
    policy: &str,
    miss: bool,
    callers: u32,
    next: &mut u64,
) -> Res<Vec<Bounded>> {
    let mut work = async |contender: &mut Contender, entries: u32, calls: u64| {
        let request = json!({ "op": "bounded", "policy": policy, "entries": entries, "miss": miss, "first": *next,
            "callers": callers, "calls": calls });
        // One further call connects.
        *next += calls + u64::from(callers);
        let before = cpu(redis).await?;
        let work = contender.peer.calls(&request, [1; 2]).await?;
        Res::Ok((work, Work { cpu: cpu(redis).await? - before, ..work }))
    };
    let mut turns = Vec::new();
    for (at, contender) in contenders.iter_mut().enumerate().filter(|(_, contender)| (contender.is_able)(callers)) {
        for entries in SIZES {
            let few = 500.max(callers).into();
            work(contender, entries, few).await?;
            let (warm_up, _) = work(contender, entries, few).await?;
            let series = Series::new(contender.peer.name());
            let calls = calls_for(plan.seconds, &warm_up, callers);
            turns.push(Turn { contender: at, entries, calls, server: series.clone(), series });
        }
    }
    for _ in 0..plan.rounds {
        for turn in &mut turns {
            let (work, server) = work(&mut contenders[turn.contender], turn.entries, turn.calls).await?;
            turn.series.rounds.push(work);
            turn.server.rounds.push(server);
        }
    }
    Ok(SIZES
        .map(|entries| {
            let of_size = turns.iter().filter(|turn| turn.entries == entries);
            let (series, server) = of_size.map(|turn| (turn.series.clone(), turn.server.clone())).unzip();
            Bounded { policy: policy.into(), entries, miss, callers, series, server }
        })
        .into())
}

/// Returns the CPU time of the server, in seconds.
async fn cpu(redis: &Redis) -> Res<f64> {
    let info = redis.cli(&["INFO", "cpu"]).await;
    let used = |name: &str| -> Res<f64> {
        let line =
            info.lines().find_map(|line| line.strip_prefix(name)).ok_or("the server doesn't tell its CPU time")?;
        Ok(line.trim().parse()?)
    };
    Ok(used("used_cpu_user:")? + used("used_cpu_sys:")?)
}

async fn fill(redis: &Redis, policy: &str, entries: u32) -> Res<()> {
    let name = bounded_name(entries);
    let [order_of, values, ends] = [0, 1, 2].map(|part| format!("{name}:{{{name}:{policy}}}:{part}"));
    let field = format!("{name}:{FUNCTION}(order_id=");
    let value = serde_json::to_string(&[order(0)])?;
    for first in (0..entries).step_by(AT_ONCE as usize) {
        let [first, last] = [first, entries.min(first + AT_ONCE) - 1].map(|id| id.to_string());
        let command = ["EVAL", FILL, "3", &order_of, &values, &ends, &first, &last, &field, &value, policy];
        super::fill(redis, &command, "OK").await?;
    }
    Ok(())
}

/// Checks that both structures are exactly full.
async fn check(redis: &Redis, policy: &str, entries: u32) -> Res<()> {
    let name = bounded_name(entries);
    for key in [format!("{name}:{{{name}:{policy}}}:0"), format!("func-cache:{name}:{policy}:0")] {
        let count = redis.cli(&["ZCARD", &key]).await;
        if count != entries.to_string() {
            return Err(format!("{key} has {count} entries, not {entries}").into());
        }
    }
    Ok(())
}
