//! `mrc follow`: follows the database's log, and invalidates what each commit changes.

mod check;
mod http;
mod news;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mrc::follow::rules::{FollowConfig, Rules};
use mrc::follow::{FollowError, Follower};
use tokio::sync::Notify;

use crate::args::{FollowArgs, Global};
use crate::connect;
use crate::error::Failure;
use crate::output::{Output, counted};
use crate::{interrupted, interruptible};
use news::News;

/// The time to end the lease after a signal. A lease that isn't ended ends by itself.
const STOP_LIMIT: Duration = Duration::from_secs(3);

pub(crate) async fn run(args: FollowArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let (config, rules) = read(&args.config)?;
    let store = connect::redis(global)?;
    if args.status {
        return interruptible(check::status(&config, &store, output)).await;
    }
    let mysql = connect::mysql_config(global)?;
    let of_rules = counted(rules.tables().len() as u64, "table");
    let tables = match (config.auto, rules.is_empty()) {
        (false, _) => of_rules,
        (true, true) => "what queries depend on".into(),
        (true, false) => format!("what queries depend on, and {of_rules} by rules"),
    };
    let started = format!("follows {tables} as {:?}, server_id {}", config.name, config.server_id);
    let builder = Follower::builder(mysql, store).config(config).rules(rules);
    if args.check {
        return interruptible(check::check(&builder.build()?, output)).await;
    }
    let news = News::new(*output, args.dry_run);
    let builder = builder.start(args.from.unwrap_or_default()).once(args.once).dry_run(args.dry_run);
    let follower = builder.on_event(news.listener()).build()?;
    let listener = match args.listen {
        Some(address) => Some(http::bind(address).await?),
        None => None,
    };
    news.take_log();
    output.note(&started);
    if let Some(address) = listener.as_ref().and_then(|listener| listener.local_addr().ok()) {
        news.line("info", &format!("answers http://{address}/metrics, /healthz and /readyz"));
    }
    let serving = async {
        match listener {
            Some(listener) => http::serve(listener, follower.clone()).await,
            None => std::future::pending().await,
        }
    };
    let (stop, is_stopped) = (Notify::new(), AtomicBool::new(false));
    let stopping = async {
        terminated().await;
        is_stopped.store(true, Ordering::Relaxed);
        stop.notify_one();
        tokio::time::sleep(STOP_LIMIT).await;
    };
    let done = tokio::select! {
        done = follower.run(stop.notified()) => done.map_err(failed),
        () = stopping => Ok(()),
        failure = serving => Err(failure),
        () = news.watch(&follower) => Ok(()),
    };
    news.end(&follower.status(), done.is_ok());
    match done {
        Ok(()) if args.once && is_stopped.load(Ordering::Relaxed) => Err(Failure::Interrupted),
        done => done,
    }
}

/// Returns the failure of a run. A server that refuses seldom says how to mend it.
fn failed(error: FollowError) -> Failure {
    let is_refused = matches!(error, FollowError::Database(_));
    match error.into() {
        Failure::Database(text) if is_refused => Failure::Database(format!("{text}; --check says what is missing")),
        failure => failure,
    }
}

fn read(path: &Path) -> Result<(FollowConfig, Rules), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("--config {}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    FollowConfig::from_toml(&text).map_err(|error| wrong(&error))
}

/// Returns at Ctrl-C or SIGTERM.
async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            () = interrupted() => {}
        }
        return;
    }
    interrupted().await;
}
