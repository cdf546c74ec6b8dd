//! A change of one store's rows: the invalidation of its tag, among few entries and among many.

use mrc::{MrcServer, Tag};
use mrc_tests::Redis;

use crate::Res;
use crate::cpu::Clock;
use crate::data::STORE;
use crate::results::{Invalidations, Series, Work};
use crate::suite::{PAGES, Plan, fill_stores, progress};

const ENTRIES: [u32; 2] = [10_000, 1_000_000];
const CALLS: u64 = 20;

/// Stores the entries of stores from the first to the last with the tags of their rows, as fills
/// do.
const FILL: &str = "local text, time = redis.sha1hex('orders'), redis.call('TIME')
local function index(tag) return 'mrc:t:{' .. redis.sha1hex('0:' .. tag) .. '}' end
local moment, ends = string.format('%.0f', time[1] * 1e6), string.format('%.0f', (time[1] + 7200) * 1e6)
for store = ARGV[1], ARGV[2] do
    local tags = { 't:shop.orders', 't:shop.orders?store_id:int', 't:shop.orders?store_id=' .. store }
    local json, indexes = {}, {}
    for i, tag in ipairs(tags) do
        json[i], indexes[i] = '\"' .. tag .. '\":' .. moment, index(tag)
    end
    json = '{' .. table.concat(json, ',') .. '}'
    for page = 1, ARGV[3] do
        local key = 'StoreId=' .. store .. '_Page=' .. page .. '_' .. text
        redis.call('SET', key, '[{\"id\":1}]\\n', 'EX', 7200)
        redis.call('SET', 'mrc:g:{' .. key .. '}', json, 'EX', 7200)
        for _, name in ipairs(indexes) do redis.call('ZADD', name, ends, key) end
    end
    for _, name in ipairs(indexes) do redis.call('PEXPIRE', name, 7500000) end
end
return redis.status_reply('OK')";

struct Field {
    redis: Redis,
    server: MrcServer,
    of_size: Invalidations,
}

pub(super) async fn run(plan: Plan, quick: bool) -> Res<Vec<Invalidations>> {
    let mut fields = Vec::new();
    for entries in ENTRIES.map(|entries| if quick { entries / 10 } else { entries }) {
        progress(&format!("exact: filling {entries} entries in"));
        let redis = Redis::start().await;
        fill_stores(&redis, FILL, 1..=entries / PAGES).await?;
        let server = MrcServer::new(&redis.url())?;
        fields.push(Field {
            redis,
            server,
            of_size: Invalidations { keys: entries, series: vec![Series::new("mrc")] },
        });
    }
    // The sizes take turns. The first round warms up.
    for round in 0..=plan.rounds {
        for field in &mut fields {
            let work = field.round().await?;
            if round > 0 {
                field.of_size.series.iter_mut().for_each(|series| series.rounds.push(work));
            }
        }
    }
    Ok(fields.into_iter().map(|field| field.of_size).collect())
}

impl Field {
    async fn round(&self) -> Res<Work> {
        let mut all = Work::default();
        for _ in 0..CALLS {
            fill_stores(&self.redis, FILL, STORE..=STORE).await?;
            let clock = Clock::start();
            let removed = self.server.invalidate(Tag::new(format!("t:shop.orders?store_id={STORE}"))).await?;
            all += clock.stop(1, removed);
            if removed != u64::from(PAGES) {
                return Err(format!("{removed} entries went, of {PAGES}").into());
            }
        }
        Ok(all)
    }
}
