//! Caches an async function: a thousand callers at once, one computation.
//!
//! `cargo run -p mrc --features memory --example function`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mrc::{MemoryStore, MrcClient, params};

static RUNS: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Report {
    store: u32,
    total: f64,
}

async fn build_report(store: u32) -> Result<Report, mrc::Error> {
    RUNS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(Report { store, total: 1234.5 })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = MrcClient::builder().store(MemoryStore::new()).build()?;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let client = client.clone();
        callers.spawn(async move {
            client.with_cache(|| build_report(6), "monthly_report_v1", params! { "StoreId" => 6 }, 600).await
        });
    }
    let reports = callers.join_all().await.into_iter().collect::<Result<Vec<Report>, _>>()?;
    println!("{} callers got {:?}", reports.len(), reports.first());
    println!("the function ran {} time", RUNS.load(Ordering::Relaxed));
    Ok(())
}
