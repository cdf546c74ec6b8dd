//! Measures a bounded cache of functions: hits, or misses that each evict an entry.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mrc::{Cache, Spec};

use super::hits::{Call, drive};
use crate::Res;
use crate::data::{FUNCTION, Order, bounded_id, order};
use crate::results::Work;

/// Measures calls from number `first` on. For hits, the structure must hold all their orders.
pub(super) async fn measure(
    cache: Cache,
    entries: u32,
    miss: bool,
    first: u64,
    [callers, calls]: [u64; 2],
) -> Res<Work> {
    let numbers = Arc::new(AtomicU64::new(first));
    drive(callers, calls, One { cache, entries, miss, numbers }).await
}

#[derive(Clone)]
struct One {
    cache: Cache,
    entries: u32,
    miss: bool,
    numbers: Arc<AtomicU64>,
}

impl Call for One {
    async fn call(&self) -> Res<u64> {
        let (number, ran) = (self.numbers.fetch_add(1, Ordering::Relaxed), AtomicBool::new(false));
        let id = bounded_id(number, self.entries, self.miss);
        let compute = async || {
            ran.store(true, Ordering::Relaxed);
            Res::Ok(vec![order(id)])
        };
        let orders: Vec<Order> = self.cache.get_or_try(Spec::of(FUNCTION).param("order_id", id), compute).await?;
        let is_right = ran.load(Ordering::Relaxed) == self.miss;
        Ok(u64::from(is_right) * black_box(orders).len() as u64)
    }
}
