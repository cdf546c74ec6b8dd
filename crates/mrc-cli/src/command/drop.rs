//! `mrc drop` and `mrc invalidate`: end exactly the entries that have some params, or some tags.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{HumanCount, ProgressBar};
use mrc::store::Strategy;
use mrc::{DropRequest, Select};
use serde::Serialize;

use crate::args::{By, DropArgs, Global, InvalidateArgs};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) async fn drop(args: &DropArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let server = connect::server(global, args.retry, output)?;
    let (spinner, scanned) = (output.spinner(), Arc::new(AtomicU64::new(0)));
    let done = server.drop_outdated_cache(request(args, &spinner, &scanned)).await;
    spinner.finish_and_clear();
    server.close().await;
    let entries = done?;
    if output.is_json() {
        return output.document(&Dropped { entries, scanned: scanned.load(Ordering::Relaxed), dry_run: args.dry_run });
    }
    output.result(entries.to_string().as_bytes())
}

#[derive(Serialize)]
struct Dropped {
    /// The number of dropped entries, or of those that `--dry-run` found.
    entries: u64,
    /// The number of scanned keys. 0 by the index.
    scanned: u64,
    dry_run: bool,
}

fn request(args: &DropArgs, spinner: &ProgressBar, scanned: &Arc<AtomicU64>) -> DropRequest {
    let request = if args.all { DropRequest::all(args.params()) } else { DropRequest::any(args.params()) };
    let request = request.strategy(match args.by {
        By::Scan => Strategy::Scan,
        By::Index => Strategy::Index,
        By::Both => Strategy::Both,
    });
    let request = if args.substring { request.substring() } else { request };
    let request = if args.dry_run { request.dry_run() } else { request };
    let (spinner, scanned) = (spinner.clone(), Arc::clone(scanned));
    let verb = if args.dry_run { "would be dropped" } else { "dropped" };
    request.on_progress(move |progress| {
        scanned.store(progress.scanned, Ordering::Relaxed);
        spinner.set_message(format!(
            "{} keys scanned, {} {verb}",
            HumanCount(progress.scanned),
            HumanCount(progress.dropped)
        ));
    })
}

pub(crate) async fn invalidate(args: &InvalidateArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let server = connect::server(global, args.retry, output)?;
    let select = if args.all { Select::all(&args.tags) } else { Select::any(&args.tags) };
    let done = server.invalidate(select).await;
    server.close().await;
    let entries = done?;
    if output.is_json() {
        return output.document(&serde_json::json!({ "entries": entries }));
    }
    output.result(entries.to_string().as_bytes())
}
