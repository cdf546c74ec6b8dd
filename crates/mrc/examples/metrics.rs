//! Prints the cache's decisions as Prometheus scrapes them.
//!
//! `cargo run -p mrc --features memory,sqlite,metrics --example metrics`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use mrc::{MemoryStore, Metrics, MrcClient, MrcServer, SqliteExecutor, params};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Install the exporter first: metrics that are created earlier count into nothing. With its
    // feature `http-listener`, `PrometheusBuilder::new().install()?` serves `/metrics`.
    let seconds = [0.001, 0.01, 0.1, 1.0, 10.0];
    let exporter = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".into()), &[1e3, 1e6, 1e9])?
        .install_recorder()?;

    let database = SqliteExecutor::in_memory()?;
    database.execute_batch("CREATE TABLE orders (id INTEGER, store INTEGER); INSERT INTO orders VALUES (1, 6)").await?;
    let (store, metrics) = (Arc::new(MemoryStore::new()), Metrics::named("orders"));
    let builder = MrcClient::builder().shared_store(store.clone()).executor(database);
    let client = builder.on_event(metrics.clone()).build()?;
    let server = MrcServer::with_shared_store(store).on_event(metrics);

    for store in [6, 6, 6, 7] {
        let sql = "SELECT id FROM orders WHERE store = ?";
        client.query_with_cache(sql, params! { "StoreId" => store }, 60).await?;
    }
    server.drop_outdated_cache(params! { "StoreId" => 6 }).await?;

    // Metrics at 0 are rendered too, because a rate needs a first value.
    let rendered = exporter.render();
    rendered.lines().filter(|line| !line.ends_with(" 0") && !line.is_empty()).for_each(|line| println!("{line}"));
    Ok(())
}
