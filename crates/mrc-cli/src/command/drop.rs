//! `mrc drop`: exactly the entries that were asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mrc::{DropRequest, Event, MrcServer};
use serde::Serialize;

use crate::args::{DropArgs, Global};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) async fn run(args: &DropArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let notes = *output;
    let server = MrcServer::with_store(connect::redis(global)?)
        .deadline(Duration::from_secs(args.retry.into()))
        .on_event(move |event: &Event<'_>| {
            if let Event::DropRetried { error } = event {
                notes.note(&format!("{error}; trying again"));
            }
        });
    let (spinner, scanned) = (spinner(output), Arc::new(AtomicU64::new(0)));
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
    /// How many went, or would go.
    entries: u64,
    /// How many keys were looked at.
    scanned: u64,
    dry_run: bool,
}

fn request(args: &DropArgs, spinner: &ProgressBar, scanned: &Arc<AtomicU64>) -> DropRequest {
    let request = if args.all { DropRequest::all(args.params()) } else { DropRequest::any(args.params()) };
    let request = if args.substring { request.substring() } else { request };
    let request = if args.dry_run { request.dry_run() } else { request };
    let (spinner, scanned) = (spinner.clone(), Arc::clone(scanned));
    let verb = if args.dry_run { "would go" } else { "dropped" };
    request.on_progress(move |progress| {
        scanned.store(progress.scanned, Ordering::Relaxed);
        spinner.set_message(format!(
            "{} keys scanned, {} {verb}",
            HumanCount(progress.scanned),
            HumanCount(progress.dropped)
        ));
    })
}

/// On stderr, and only where that is a terminal.
fn spinner(output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
