//! Tests without a server: SQLite and a cache in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::bail;
use async_trait::async_trait;
use mrc::{MemoryStore, MrcClient, Source, SqliteExecutor, scope};
use rust_decimal::Decimal;
use tokio::time::advance;

use crate::rates::Rates;
use crate::{Change, Meta, NewOrder, Shop};

/// Replaces the other service.
#[derive(Debug, Default)]
struct Double {
    calls: AtomicU32,
    fails: AtomicBool,
}

#[async_trait]
impl Rates for Double {
    async fn of_euro(&self, _: &str) -> anyhow::Result<Decimal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            bail!("503 Service Unavailable");
        }
        Ok(Decimal::new(108, 2))
    }
}

async fn shop() -> Shop {
    let builder = MrcClient::builder().store(MemoryStore::new()).executor(SqliteExecutor::in_memory().unwrap());
    Shop::open(builder, "INTEGER PRIMARY KEY", Arc::new(Double::default())).await.unwrap()
}

async fn sell(shop: &Shop, store: u32, cents: i64) -> u64 {
    let order = NewOrder { total: Decimal::new(cents, 2), meta: Meta { items: vec!["tea".into()] } };
    shop.order(store, &order).await.unwrap().unwrap()
}

async fn source<T>(read: impl Future<Output = T>) -> Source {
    scope::with_source(read).await.1.unwrap()
}

#[tokio::test]
async fn an_order_is_read_as_it_was_written() {
    let shop = shop().await;
    let id = sell(&shop, 6, 425).await;
    for _ in 0..2 {
        let order = shop.orders(6).await.unwrap().remove(0);
        assert_eq!((order.id, order.total, order.note), (id, Decimal::new(425, 2), None));
        assert_eq!(order.meta.items, ["tea"]);
    }
}

#[tokio::test]
async fn a_change_invalidates_only_the_entries_that_show_the_order() {
    let shop = shop().await;
    let (one, other) = (sell(&shop, 6, 425).await, sell(&shop, 66, 100).await);
    for store in [6, 66] {
        shop.orders(store).await.unwrap();
        shop.report(store).await.unwrap();
    }
    shop.orders_by_id(vec![one, other]).await.unwrap();
    shop.orders_by_id(vec![other]).await.unwrap();

    let change = Change { state: "paid".into(), note: Some("thanks".into()) };
    assert!(shop.change(6, one, &change).await.unwrap());

    assert_eq!(source(shop.orders(66)).await, Source::Cache);
    assert_eq!(source(shop.report(66)).await, Source::Cache);
    assert_eq!(source(shop.orders_by_id(vec![other])).await, Source::Cache);
    assert_eq!(shop.orders(6).await.unwrap()[0].note.as_deref(), Some("thanks"));
    assert_eq!(shop.report(6).await.unwrap().largest.unwrap().state, "paid");
    assert_eq!(shop.orders_by_id(vec![one, other]).await.unwrap()[0].state, "paid");
}

#[tokio::test]
async fn an_order_of_another_store_is_not_changed() {
    let shop = shop().await;
    let id = sell(&shop, 6, 425).await;
    assert!(!shop.change(66, id, &Change { state: "paid".into(), note: None }).await.unwrap());
    assert_eq!(shop.orders(6).await.unwrap()[0].state, "open");
}

#[tokio::test]
async fn a_report_of_no_orders_is_zero() {
    let report = shop().await.report(6).await.unwrap();
    assert_eq!((report.orders, report.total, report.largest), (0, Decimal::ZERO, None));
}

/// The runtime's clock stands still. `advance` moves it, and expires the entries.
#[tokio::test(start_paused = true)]
async fn while_the_other_service_fails_its_last_rate_is_served() {
    let rates = Arc::new(Double::default());
    let client = MrcClient::builder().store(MemoryStore::new()).build().unwrap();
    let reports = client.cache("reports").build().unwrap();
    let shop = Shop { client, reports, rates: rates.clone() };
    for expected in [Source::Computed, Source::Cache] {
        assert_eq!(source(shop.rate("USD")).await, expected);
    }
    assert_eq!(rates.calls.load(Ordering::Relaxed), 1);

    rates.fails.store(true, Ordering::Relaxed);
    advance(Duration::from_secs(2 * 3600)).await;
    let (rate, source) = scope::with_source(shop.rate("USD")).await;
    assert_eq!((rate.unwrap(), source), (Decimal::new(108, 2), Some(Source::Stale)));
    assert_eq!(shop.rate("CHF").await.unwrap_err().to_string(), "503 Service Unavailable");
}
