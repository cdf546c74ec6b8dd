//! `shop`: the service, on 127.0.0.1 and the port of `PORT`, else 8080.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::net::Ipv4Addr;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use mrc::BoxError;
use mrc_example::{Shop, router};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Before the shop: what is made before the exporter counts into nothing.
    let metrics = exporter()?;
    let shop = Shop::open().await?;
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Requests under way are answered before it ends.
    axum::serve(listener, router(shop.clone(), metrics)).with_graceful_shutdown(stopped()).await?;
    shop.close().await;
    Ok(())
}

fn exporter() -> Result<PrometheusHandle, BoxError> {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &[0.001, 0.01, 0.1, 1.0, 10.0])?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".into()), &[1e3, 1e6, 1e9])?
        .install_recorder()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        // What is measured is summed up, also when nobody scrapes.
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    Ok(metrics)
}

/// Ends at Ctrl-C or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
