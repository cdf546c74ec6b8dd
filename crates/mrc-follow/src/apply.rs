//! Effects to invalidations.

use futures_util::TryStreamExt;
use mrc_core::{EntryPattern, EventListener, Params, Tag};
use mrc_store::{CacheStore, DropError, DropRequest, Invalidator, ScanPattern, Select, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::auto::{Known, table_tag};
use crate::rules::{Effects, Fallback, Rules};

/// The params in one scan of the cache.
const PARAMS_AT_ONCE: usize = 1_000;

/// The numbers of an invalidation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) tags: u64,
    pub(crate) entries: u64,
}

/// Invalidates what some transactions changed. `known` has the tables that are followed without
/// rules. After an error, everything must be tried again.
pub(crate) async fn apply(
    effects: &Effects,
    rules: &Rules,
    known: Option<&Known>,
    store: &Arc<dyn CacheStore>,
    listener: &dyn EventListener,
) -> Result<Applied, StoreError> {
    let fallbacks: Vec<Fallback> = match effects.everything() {
        Some(_) => vec![rules.everything()],
        None => effects.whole().map(|(table, _)| rules.all_of(table)).collect(),
    };
    let everything = known.into_iter().filter(|_| effects.everything().is_some()).flat_map(Known::tables);
    let whole = effects.whole().map(|(table, _)| table).filter(|_| known.is_some());
    let tables: Vec<Tag> = whole.chain(everything).map(table_tag).collect();
    let more: BTreeSet<&Tag> = tables.iter().chain(fallbacks.iter().flat_map(|fallback| &fallback.tags)).collect();
    let tags: Vec<Tag> = effects.tags().chain(more).cloned().collect();
    let names: BTreeSet<&Arc<str>> = fallbacks.iter().flat_map(|fallback| &fallback.params).collect();
    let params = effects.params();
    let mut applied = Applied { tags: (tags.len() + params.len() + names.len()) as u64, entries: 0 };
    applied.entries += Select::Any(tags).remove_from(&**store, "", listener).await?;
    applied.entries += drop_params(&params, store, listener).await?;
    if !names.is_empty() {
        applied.entries += drop_names(&names.into_iter().collect::<Vec<_>>(), &**store).await?;
    }
    Ok(applied)
}

async fn drop_params(
    params: &Params,
    store: &Arc<dyn CacheStore>,
    listener: &dyn EventListener,
) -> Result<u64, StoreError> {
    let once = Invalidator::new(Arc::clone(store), Duration::ZERO);
    let all: Vec<_> = params.iter().cloned().collect();
    let mut dropped = 0;
    for some in all.chunks(PARAMS_AT_ONCE) {
        let request = DropRequest::any(some.iter().cloned().collect());
        dropped += match once.drop_outdated(&request, listener).await {
            Ok(entries) => entries,
            Err(DropError::Interrupted { source, .. }) => return Err(source),
            Err(error) => return Err(StoreError::Config(error.to_string())),
        };
    }
    Ok(dropped)
}

/// Removes the entries that have a param of one of these names.
async fn drop_names(names: &[&Arc<str>], store: &dyn CacheStore) -> Result<u64, StoreError> {
    let pattern = EntryPattern::named(names).map_err(|error| StoreError::Config(error.to_string()))?;
    let (mut pages, mut dropped) = (store.scan(&ScanPattern::All), 0);
    while let Some(mut page) = pages.try_next().await? {
        page.retain(|key| pattern.matches(key));
        if !page.is_empty() {
            dropped += store.remove(&page).await?;
        }
    }
    Ok(dropped)
}
