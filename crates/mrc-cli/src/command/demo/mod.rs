//! `mrc demo`: shows the cache at work, on your servers or without servers.

mod counting;
mod report;
mod shop;
mod story;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use mrc::store::CacheStore;
use mrc::{MemoryStore, SqliteExecutor};

use crate::args::Global;
use crate::connect;
use crate::error::Failure;
use crate::interrupted;
use crate::output::Output;
use counting::Counting;
use report::Servers;
use shop::Shop;
use story::Story;

/// The time limit of the clean-up.
const CLEANUP_LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let is_given = |url: &Option<String>| url.as_ref().is_some_and(|url| !url.is_empty());
    let report = match (is_given(&global.mysql), is_given(&global.redis)) {
        (true, true) => on_servers(global).await?,
        (one, other) => {
            if one || other {
                let missing = if one { "--redis or MRC_REDIS_URL" } else { "--mysql or MRC_MYSQL_URL" };
                output.note(&format!("note: without {missing} the demo runs without servers"));
            }
            embedded().await?
        }
    };
    if output.is_json() { output.document(&report) } else { output.result(report.text(*output).as_bytes()) }
}

async fn embedded() -> Result<report::Report, Failure> {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
    let story = Story::new(store, Counting::new(SqliteExecutor::in_memory()?), Shop::new("orders"), Servers::None)?;
    tokio::select! {
        report = async { story.open().await?; story.tell().await } => report,
        () = interrupted() => Err(Failure::Interrupted),
    }
}

/// Runs on shared servers, with its own table and keys, and removes these however it ends.
async fn on_servers(global: &Global) -> Result<report::Report, Failure> {
    let unique = format!("mrc_demo_{:016x}", RandomState::new().build_hasher().finish());
    let store: Arc<dyn CacheStore> = Arc::new(connect::redis_part(global, &format!("{unique}:"))?);
    // Without the cache the demo would show something else, so a missing cache is an error.
    store.ttl("-").await?;
    let database = connect::mysql(global)?;
    let story = Story::new(Arc::clone(&store), Counting::new(database), Shop::new(&unique), Servers::Yours)?;
    // Creating isn't cancelled: a table that is created after the clean-up would stay.
    let opened = story.create().await;
    let told = match opened {
        Ok(()) => tokio::select! {
            report = async { story.fill().await?; story.tell().await } => report,
            () = interrupted() => Err(Failure::Interrupted),
        },
        Err(failure) => Err(failure),
    };
    let cleared = tokio::time::timeout(CLEANUP_LIMIT, story.clear()).await;
    let cleared = cleared.unwrap_or_else(|_| Err(Failure::Database("dropping the table took too long".into())));
    match (told, cleared) {
        (Ok(_), Err(failure)) => {
            Err(Failure::Database(format!("the demo's table {unique} may still be there: {failure}")))
        }
        (told, _) => told,
    }
}
