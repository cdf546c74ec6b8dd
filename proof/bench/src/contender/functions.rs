//! Measures a cached function: hits, or misses.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use mrc::{Cache, Spec};

use super::hits::{Call, drive};
use crate::Res;
use crate::data::{FUNCTION, Order, TAGS, bounded_id, order};
use crate::results::Work;

pub(super) async fn measure(cache: Cache, miss: bool, tagged: bool, callers: u64, calls: u64) -> Res<Work> {
    let tags = if tagged { &TAGS[..] } else { &[] };
    if miss {
        return drive(callers, calls, Miss { cache, tags }).await;
    }
    cache.set(spec(0, tags), &[order(0)]).await?;
    if tagged { drive(callers, calls, OrTry { cache, tags }).await } else { drive(callers, calls, Or(cache)).await }
}

fn spec(id: u32, tags: &'static [&'static str]) -> Spec {
    Spec::of("orders").param("order_id", id).tags(tags.iter().copied())
}

/// A hit by `get_or`.
#[derive(Clone)]
struct Or(Cache);

impl Call for Or {
    async fn call(&self) -> Res<u64> {
        let orders: Vec<Order> = self.0.get_or(spec(0, &[]), async || Vec::new()).await;
        Ok(black_box(orders).len() as u64)
    }
}

/// A hit by `get_or_try`, with tags.
#[derive(Clone)]
struct OrTry {
    cache: Cache,
    tags: &'static [&'static str],
}

impl Call for OrTry {
    async fn call(&self) -> Res<u64> {
        let missed = async || Res::Err("that was no hit".into());
        let orders: Vec<Order> = self.cache.get_or_try(spec(0, self.tags), missed).await?;
        Ok(black_box(orders).len() as u64)
    }
}

/// A call that runs the function. The function itself costs nothing.
#[derive(Clone)]
struct Miss {
    cache: Cache,
    tags: &'static [&'static str],
}

impl Call for Miss {
    async fn call(&self) -> Res<u64> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let (id, ran) = (NEXT.fetch_add(1, Ordering::Relaxed), AtomicBool::new(false));
        let compute = || async {
            ran.store(true, Ordering::Relaxed);
            Res::Ok(vec![order(id)])
        };
        let orders: Vec<Order> = self.cache.get_or_try(spec(id, self.tags), compute).await?;
        Ok(u64::from(ran.load(Ordering::Relaxed)) * black_box(orders).len() as u64)
    }
}

/// Measures calls from number `first` on. For hits, the bounded cache must hold all their orders.
pub(super) async fn measure_bounded(
    cache: Cache,
    entries: u32,
    miss: bool,
    first: u64,
    [callers, calls]: [u64; 2],
) -> Res<Work> {
    let numbers = Arc::new(AtomicU64::new(first));
    drive(callers, calls, Evicting { cache, entries, miss, numbers }).await
}

#[derive(Clone)]
struct Evicting {
    cache: Cache,
    entries: u32,
    miss: bool,
    numbers: Arc<AtomicU64>,
}

impl Call for Evicting {
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
