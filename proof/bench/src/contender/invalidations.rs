//! Measures an invalidation by tag, and a drop.

use mrc::store::RedisStore;
use mrc::{DropRequest, MrcServer, Tag, params};

use crate::Res;
use crate::cpu::Clock;
use crate::data::{fill, page_key};
use crate::results::Work;

const TAG: &str = "StoreId=6";
const PAGES: u32 = 100;

/// Fills the tag's entries and invalidates the tag, `calls` times. Measures only invalidations.
pub(super) async fn measure(store: &RedisStore, server: MrcServer, calls: u64) -> Res<Work> {
    let mut all = Work::default();
    for _ in 0..calls {
        for page in 1..=PAGES {
            fill(store, &page_key(page)?, b"[{\"id\":1}]", &[TAG]).await?;
        }
        let clock = Clock::start();
        let dropped = server.invalidate(Tag::new(TAG)).await?;
        all += clock.stop(1, dropped);
        if dropped != u64::from(PAGES) {
            return Err(format!("{dropped} entries went, of {PAGES}").into());
        }
    }
    Ok(all)
}

pub(super) async fn measure_drop(server: MrcServer, name: String, value: u32, options: [Option<bool>; 2]) -> Res<Work> {
    let [substring, warm] = options.map(Option::unwrap_or_default);
    if warm {
        // Connects, but touches no entry.
        server.drop_outdated_cache(params! { "No" => "such" }).await?;
    }
    let request = DropRequest::any(params! { name => value });
    let request = if substring { request.substring() } else { request };
    let request = if warm { request.dry_run() } else { request };
    let clock = Clock::start();
    let dropped = server.drop_outdated_cache(request).await?;
    Ok(clock.stop(1, dropped))
}
