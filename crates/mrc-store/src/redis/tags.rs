//! The index of tags: the keys filled with a tag, and the tag's last invalidation.
//!
//! | key | content |
//! |---|---|
//! | `mrc:g:{K}` | the tags of the entry under `K`, as JSON: `{"tag":moment,…}` |
//! | `mrc:t:{hash of a tag}` | a sorted set: `K` → its expiry in µs; `""` → the moment of the last invalidation |
//! | `mrc:e:{number}` | the moment of the last invalidation among the tags of this bucket that had no index |
//! | `mrc:clk` | the clock of both, in µs |
//!
//! Each begins with the store's prefix. `mrc:g:` counts only if the value ends in a line feed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use mrc_core::Tag;

use super::books::schemes_of;
use super::bounded::StructureKeys;
use super::client::Value;
use super::failure::unexpected;
use super::link::Connection;
use super::scripts::{BUMP, DROP, MARK, PRUNE, Script, TICK, TRACK};
use super::store::RedisStore;
use super::usage::warn_if_evicting;
use super::wire::{micros, millis, moment};
use super::{bookkeeping, scan};
use crate::error::StoreError;
use crate::store::{LONGEST, REMEMBERED};
use crate::tags::{Moment, Tags};

/// The number of a tag's keys in one answer.
const KEYS_A_PAGE: u32 = 1_000;
/// The number of entries that one script checks while other clients wait.
const ENTRIES_A_SCRIPT: usize = 250;
/// The number of indexes in which one script registers a key.
const INDEXES_A_SCRIPT: usize = 100;

/// The number of tags that one script invalidates.
const TAGS_A_SCRIPT: usize = 250;
/// Fewer tags are invalidated one by one: a tag with an index would take a round trip more.
const FEW_TAGS: usize = 4;

/// A key of an index, and its score.
type IndexMember = (Bytes, Bytes);

impl RedisStore {
    /// Returns the clock's time: after each invalidation, and for an invalidation after each time.
    pub(super) async fn tick(&self, to_invalidate: bool) -> Result<Moment, StoreError> {
        let clock = bookkeeping::clock_key(&self.config.prefix);
        moment(Some(self.run(&TICK, &[clock], &[Value::Integer(to_invalidate.into())]).await?))
    }

    /// Returns the keys and arguments by which `track_entry.lua` registers a key under each tag.
    /// Returns `None` if one script can't: in a cluster, for many tags, or for the empty key.
    pub(super) fn tracked(&self, key: &Bytes, tags: &Tags) -> Option<(Vec<Bytes>, Vec<Value>)> {
        if self.servers.are_a_cluster() || tags.len() > INDEXES_A_SCRIPT || key.is_empty() {
            return None;
        }
        self.has_tags.store(true, Ordering::Relaxed);
        let keys = tags.iter().flat_map(|(tag, _)| self.tag_keys(tag));
        let schemes: Vec<Value> = schemes_of(tags).collect();
        // A scheme has two arguments: its tag and its moment.
        let counts = [tags.len(), schemes.len() / 2].map(|count| Value::Integer(count.try_into().unwrap_or(i64::MAX)));
        let moments = tags.iter().map(|(_, since)| micros(since));
        let args = std::iter::once(micros_of(REMEMBERED)).chain(counts).chain(moments).chain(schemes);
        Some((keys.collect(), args.collect()))
    }

    /// Registers the key under each tag. Returns false if a tag was invalidated since its moment,
    /// or the moment is too old to know; or if a tag's scheme wasn't registered at its moment.
    pub(super) async fn track(&self, key: &Bytes, tags: &Tags, life: Duration) -> Result<bool, StoreError> {
        // In an index the empty key stands for the invalidation.
        if key.is_empty() {
            return Ok(false);
        }
        self.has_tags.store(true, Ordering::Relaxed);
        let all: Vec<_> = tags.iter().map(|(tag, since)| (self.tag_keys(tag), micros(since))).collect();
        // In a cluster each index has its own slot.
        let per_script = if self.servers.are_a_cluster() { 1 } else { INDEXES_A_SCRIPT };
        let tracks = all.chunks(per_script).map(|some| async move {
            let (keys, moments): (Vec<[Bytes; 2]>, Vec<Value>) = some.iter().cloned().unzip();
            let indexes = keys.concat();
            let life = millis(life.min(LONGEST)).into();
            let args = &[vec![Value::Bytes(key.clone()), life, micros_of(REMEMBERED)], moments].concat();
            self.run_tagged(&TRACK, &indexes, args).await
        });
        let (tracks, are_registered) = try_join(try_join_all(tracks), self.are_registered(tags, life)).await?;
        Ok(are_registered && tracks.iter().all(|answer| *answer == Value::Integer(1)))
    }

    /// Runs a script that registers a key under tags.
    pub(super) async fn run_tagged(
        &self,
        script: &'static Script,
        keys: &[Bytes],
        args: &[Value],
    ) -> Result<Value, StoreError> {
        let warn = |connection: &Arc<Connection>| {
            let connection = Arc::clone(connection);
            async move { warn_if_evicting(&connection).await }
        };
        self.run_beside(script, keys, args, warn).await
    }

    /// Removes the entries with all of the tags.
    pub(super) async fn drop_tagged(&self, tags: Vec<Tag>) -> Result<u64, StoreError> {
        let moment = self.moment_of_scripts().await?;
        self.drop_tagged_at(tags, moment).await
    }

    /// Removes the entries with each of the tags. Returns the number of values of each.
    pub(super) async fn drop_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let moment = self.moment_of_scripts().await?;
        let mut removed = vec![0; tags.len()];
        for (tags, removed) in tags.chunks(TAGS_A_SCRIPT).zip(removed.chunks_mut(TAGS_A_SCRIPT)) {
            let mut with_index: Vec<usize> = (0..tags.len()).collect();
            if moment.is_none() && tags.len() > FEW_TAGS {
                with_index = self.mark(tags).await?;
            }
            let drops = with_index
                .iter()
                .filter_map(|at| tags.get(*at))
                .map(|tag| self.drop_tagged_at(vec![tag.clone()], moment));
            for (at, count) in with_index.iter().zip(try_join_all(drops).await?) {
                if let Some(removed) = removed.get_mut(*at) {
                    *removed = count;
                }
            }
        }
        Ok(removed)
    }

    /// Invalidates the tags without an index. Returns the places of the others.
    async fn mark(&self, tags: &[Tag]) -> Result<Vec<usize>, StoreError> {
        let clock = bookkeeping::clock_key(&self.config.prefix);
        let (indexes, buckets): (Vec<_>, Vec<_>) = tags.iter().map(|tag| self.tag_keys(tag).into()).unzip();
        let keys: Vec<Bytes> = std::iter::once(clock).chain(indexes).chain(buckets).collect();
        let places = self.run(&MARK, &keys, &[millis(REMEMBERED).into()]).await?.into_array().into_iter();
        Ok(places.filter_map(|place| usize::try_from(place.as_u64()?).ok()).collect())
    }

    /// Returns the moment of an invalidation in a cluster. On one server each script reads it.
    async fn moment_of_scripts(&self) -> Result<Option<Moment>, StoreError> {
        Ok(if self.servers.are_a_cluster() { Some(self.tick(true).await?) } else { None })
    }

    async fn drop_tagged_at(&self, mut tags: Vec<Tag>, moment: Option<Moment>) -> Result<u64, StoreError> {
        let bumps = tags.iter().map(|tag| self.bump(tag, moment));
        let found = try_join_all(bumps).await?.into_iter().enumerate().min_by_key(|(_, registry)| registry.size);
        let Some((rarest, registry)) = found else { return Ok(0) };
        tags.swap(0, rarest);
        let tags: Vec<Value> = tags.iter().map(|tag| Value::from(tag.as_str())).collect();
        match registry.members {
            Some(members) => self.drop_members(&registry.index, &members, &tags).await,
            None => self.drop_page_by_page(&registry.index, &tags).await,
        }
    }

    /// Invalidates a tag: later fills with an earlier moment are refused.
    async fn bump(&self, tag: &Tag, moment: Option<Moment>) -> Result<TagMembers, StoreError> {
        let [index, bucket] = self.tag_keys(tag);
        let mut keys = vec![index.clone(), bucket];
        let mut args = vec![millis(REMEMBERED).into(), Value::Integer(KEYS_A_PAGE.into())];
        match moment {
            Some(moment) => args.push(micros(moment)),
            None => keys.push(bookkeeping::clock_key(&self.config.prefix)),
        }
        let mut answer = self.run(&BUMP, &keys, &args).await?.into_array().into_iter();
        let size = answer.next().and_then(|size| size.as_i64());
        let size = size.ok_or_else(|| unexpected("the size of a tag's index can't be read"))?;
        if size < 0 {
            let server = &self.config.server_name();
            tracing::warn!(
                target: "mrc", server,
                "another program wrote over the index of a tag: entries that were filled before stay until their TTL ends, \
                 or until a scan finds them"
            );
        }
        // An overwritten index counts as the largest: with several tags, another index is read.
        let (members, size) = (members(answer)?, u64::try_from(size).unwrap_or(u64::MAX));
        Ok(TagMembers { index, size, members: (size <= u64::from(KEYS_A_PAGE)).then_some(members) })
    }

    async fn drop_page_by_page(&self, index: &Bytes, tags: &[Value]) -> Result<u64, StoreError> {
        let (mut removed, mut cursor) = (0, Bytes::from(scan::START));
        loop {
            let (next, page) = scan::within(&self.servers, "ZSCAN", index, &cursor).await?;
            cursor = next;
            let members = members(page.into_iter())?;
            removed += self.drop_members(index, &members, tags).await?;
            if cursor == scan::START {
                return Ok(removed);
            }
        }
    }

    /// Removes the entries of these keys that have all tags, the first of which is the index's.
    async fn drop_members(&self, index: &Bytes, members: &[IndexMember], tags: &[Value]) -> Result<u64, StoreError> {
        let (mut plain, mut bounded) = (Vec::new(), HashMap::<StructureKeys, Vec<(&IndexMember, Bytes)>>::new());
        for member in members {
            match StructureKeys::of_member(&member.0) {
                Some((structure, field)) => bounded.entry(structure).or_default().push((member, field)),
                None => plain.push(member),
            }
        }
        let per_script = if self.servers.are_a_cluster() { 1 } else { ENTRIES_A_SCRIPT };
        let of_plain = plain.chunks(per_script).map(|some| async move {
            let keys: Vec<Bytes> = some.iter().flat_map(|(key, _)| self.companions(key.clone())).collect();
            let answer = self.run(&DROP, &keys, tags).await?;
            matched(some.iter().copied(), answer)
        });
        let of_bounded = bounded.iter().flat_map(|(structure, fields)| {
            fields.chunks(ENTRIES_A_SCRIPT).map(move |some| async move {
                let answer = structure.drop_fields(self, some.iter().map(|(_, field)| field), tags).await?;
                matched(some.iter().map(|(member, _)| *member), answer)
            })
        });
        let (of_plain, of_bounded) = try_join(try_join_all(of_plain), try_join_all(of_bounded)).await?;
        let answers: Vec<(&IndexMember, i64)> = of_plain.into_iter().chain(of_bounded).flatten().collect();
        let done = answers.iter().filter(|(_, answer)| *answer >= 0);
        let done: Vec<Value> =
            done.flat_map(|((key, score), _)| [key.clone(), score.clone()].map(Value::Bytes)).collect();
        if !done.is_empty() {
            // The entries are removed. Keys left in the index are found again, or expire.
            let _ = self.run(&PRUNE, std::slice::from_ref(index), &done).await;
        }
        Ok(answers.iter().filter(|(_, answer)| *answer > 0).count() as u64)
    }

    fn tag_keys(&self, tag: &Tag) -> [Bytes; 2] {
        bookkeeping::tag_keys(&self.config.prefix, tag.as_str())
    }
}

struct TagMembers {
    index: Bytes,
    size: u64,
    /// `None` if there are too many for one answer.
    members: Option<Vec<IndexMember>>,
}

/// Returns the members with their script answers.
fn matched<'a>(
    members: impl ExactSizeIterator<Item = &'a IndexMember>,
    answer: Value,
) -> Result<Vec<(&'a IndexMember, i64)>, StoreError> {
    let answers: Vec<i64> = answer.into_array().into_iter().filter_map(|answer| answer.as_i64()).collect();
    if answers.len() != members.len() {
        return Err(unexpected("the answer to an invalidation can't be read"));
    }
    Ok(members.zip(answers).collect())
}

/// Returns `key, score, …` without the moment of the invalidation.
fn members(mut answer: impl Iterator<Item = Value>) -> Result<Vec<IndexMember>, StoreError> {
    let mut members = Vec::new();
    while let Some(key) = answer.next() {
        let member = key.into_bytes().zip(answer.next().and_then(Value::into_bytes));
        members.push(member.ok_or_else(|| unexpected("the keys of a tag can't be read"))?);
    }
    members.retain(|(key, _)| !key.is_empty());
    Ok(members)
}

fn micros_of(duration: Duration) -> Value {
    Value::Integer(duration.as_micros().try_into().unwrap_or(i64::MAX))
}
