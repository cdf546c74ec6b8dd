//! Measures an invalidation by tag.

use mrc::store::RedisStore;
use mrc::{MrcServer, Tag};

use super::Clock;
use crate::Res;
use crate::data::{fill, page_key};
use crate::results::Work;

const TAG: &str = "StoreId=6";
const PAGES: u32 = 100;

/// Fills the tag's entries and invalidates the tag, `calls` times. Measures only invalidations.
pub(super) async fn measure(store: &RedisStore, server: MrcServer, calls: u64) -> Res<Work> {
    let mut all = Work { calls, wall: 0.0, cpu: 0.0, seen: 0 };
    for _ in 0..calls {
        for page in 1..=PAGES {
            fill(store, &page_key(page)?, b"[{\"id\":1}]", &[TAG]).await?;
        }
        let clock = Clock::start();
        let dropped = server.invalidate(Tag::new(TAG)).await?;
        let one = clock.stop(1, dropped);
        if dropped != u64::from(PAGES) {
            return Err(format!("{dropped} entries went, of {PAGES}").into());
        }
        all = Work { wall: all.wall + one.wall, cpu: all.cpu + one.cpu, seen: all.seen + one.seen, ..all };
    }
    Ok(all)
}
