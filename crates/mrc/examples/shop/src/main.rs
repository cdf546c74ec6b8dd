//! Runs the service on 127.0.0.1 and the port of `PORT`. Default: 8080.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use mrc_example::{FixedRates, Shop, router};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The exporter comes first: a client that is built earlier counts into nothing.
    let metrics = exporter()?;
    let shop = Shop::from_env(Arc::new(FixedRates)).await?;
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // The server answers running requests before it ends.
    axum::serve(listener, router(shop.clone(), move || metrics.render())).with_graceful_shutdown(stopped()).await?;
    shop.close().await;
    Ok(())
}

fn exporter() -> anyhow::Result<PrometheusHandle> {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &[0.001, 0.01, 0.1, 1.0, 10.0])?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".into()), &[1e3, 1e6, 1e9])?
        .install_recorder()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        // Sums up the measurements, which otherwise pile up without a scrape.
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    Ok(metrics)
}

/// Returns at Ctrl-C or SIGTERM.
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
