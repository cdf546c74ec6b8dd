//! Effects to invalidations.

use futures_util::TryStreamExt;
use mrc_core::{EntryPattern, EventListener, KeyFormat, Param, Params, PatternError, Tag};
use mrc_store::{CacheStore, DropError, DropRequest, Invalidator, ScanPattern, Select, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::auto::{Known, table_tag};
use crate::rules::{Effects, Fallback, Rules};

const PARAMS_AT_ONCE: usize = 1_000;

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
    let mut open: Vec<&[Param]> = all.chunks(PARAMS_AT_ONCE).collect();
    while let Some(some) = open.pop() {
        let request = DropRequest::any(some.iter().cloned().collect());
        dropped += match once.drop_outdated(&request, listener).await {
            Ok(entries) => entries,
            Err(DropError::Interrupted { source, .. }) => return Err(source),
            // Bytes that aren't text have long spellings, and a pattern holds about 1 MB.
            Err(DropError::Pattern(PatternError::TooLong { .. })) => match some {
                [param] => drop_long(param, store, listener).await?,
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    open.extend([first, second]);
                    0
                }
            },
            Err(error) => return Err(StoreError::Config(error.to_string())),
        };
    }
    Ok(dropped)
}

/// Removes the entries of a param that no pattern can hold: those with its name and any value.
async fn drop_long(
    param: &Param,
    store: &Arc<dyn CacheStore>,
    listener: &dyn EventListener,
) -> Result<u64, StoreError> {
    let Some(name) = &param.name else { return Ok(0) };
    let dropped = drop_names(&[name], &**store).await?;
    // The entries of functions have the params of the queries that they read as tags.
    let tags = [KeyFormat::TypeScript, KeyFormat::Python].map(|format| Tag::param(name, &param.value, format));
    Ok(dropped + Select::Any(tags.into()).remove_from(&**store, "", listener).await?)
}

/// Removes the entries that have a param of one of these names.
async fn drop_names<N: AsRef<str>>(names: &[N], store: &dyn CacheStore) -> Result<u64, StoreError> {
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

#[cfg(test)]
mod tests {
    use mrc_core::{Value, params};
    use mrc_store::{Life, MemoryStore, Terms, Token};

    use super::*;

    #[tokio::test]
    async fn a_param_that_no_pattern_can_hold_drops_by_its_name() {
        let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
        let key = |params: &str| format!("{params}_d6f3536ac027efd4916a172a39156f97c989bfd3");
        let (file, other) = (key("Content=b'a'"), key("StoreId=6"));
        for key in [&file, &other] {
            let (token, hour) = (Token::from_bits(1), Duration::from_secs(3_600));
            store.claim(key, &token, Terms::fill(hour)).await.unwrap();
            assert!(store.fill(key, &token, "[1]".into(), Life::from(hour)).await.unwrap());
        }
        let long = params! { "Content" => Value::Bytes(vec![0xFF; 300_000].into()), "StoreId" => 7 };
        let dropped = drop_params(&long, &store, &|_: &mrc_core::Event<'_>| {}).await.unwrap();
        assert_eq!(dropped, 1);
        assert!(store.get(&file).await.unwrap().is_none() && store.get(&other).await.unwrap().is_some());
    }
}
