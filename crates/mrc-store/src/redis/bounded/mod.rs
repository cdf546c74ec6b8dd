//! A cache with a bound: its entries are fields of one structure, and each step is a script.
//!
//! | key | content |
//! |---|---|
//! | `…:0` | the order of eviction: a sorted set, field → place; a set for a policy without order |
//! | `…:1` | a hash: field → value, `""` while it is claimed |
//! | `…:2` | a sorted set: field → the end of the entry in ms |
//! | `…:3` | a sorted set: field → the end of the claim in ms, if there is no value yet |
//! | `…:4` | a hash: field → the tags of the entry, as under `mrc:g:` of other entries |
//! | `{prefix}mrc:l:{…}` | the claimant's token, as for any entry |
//!
//! The first two are those of Python's `redis_func_cache`. In a shared cache a line feed at the end
//! marks the values of mrc. The protocol of plain entries applies, with a field instead of a key,
//! and its end instead of a TTL. Removing the field, or the whole structure, refuses the fill in
//! flight.

mod names;
mod structure;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use futures_util::stream::try_unfold;
use futures_util::{StreamExt, TryStreamExt};
use mrc_core::{Event, EventListener, Tag};

use self::names::Names;
pub(super) use self::structure::StructureKeys;
use self::structure::{CLAIM, Evicting, RELEASE, REMOVE, TTL};
use super::client::Value;
use super::failure::unexpected;
use super::scripts::Script;
use super::store::{RedisStore, slot_of};
use super::wire::{claimed, claimed_at, life_left, marked, millis, most_left, readable, to_json};
use super::{bookkeeping, scan};
use crate::bound::policy::Victim;
use crate::bound::{Bound, Lifetime};
use crate::error::StoreError;
use crate::listeners::Listeners;
use crate::store::{
    BoundedCache, CacheStore, Claim, KeyPages, LONGEST, Life, ScanPattern, Terms, Token, check_namespace, storable,
};
use crate::tags::{Found, Moment};

/// The number of fields that one script removes, while other clients wait.
const FIELDS_AT_ONCE: usize = 1_000;
/// The answers of a script that stores: stored, to be run once more, or refused for a tag.
const STORED: u64 = 1;
const NOT_YET: u64 = 2;
const TAG_INVALIDATED: u64 = 3;

/// A view of a store in Redis: the entries of one namespace, with a bound.
pub struct BoundedRedis {
    store: Arc<RedisStore>,
    names: Names,
    scripts: &'static Evicting,
    /// The kind of the structure's life, and the life in ms.
    lifetime: [Value; 2],
    listeners: Listeners,
}

/// The structure of an entry, and the field of the entry there.
struct EntryField {
    structure: StructureKeys,
    field: Bytes,
}

impl BoundedRedis {
    pub(super) fn new(store: Arc<RedisStore>, namespace: &str, bound: &Bound) -> Result<Self, StoreError> {
        bound.check()?;
        check_namespace(&store.config.prefix, namespace)?;
        let refuse = |reason: &str| Err(StoreError::Config(reason.into()));
        #[cfg(feature = "compat")]
        if let Some(theirs) = &bound.func_cache {
            if !store.config.prefix.is_empty() {
                return refuse(
                    "redis_func_cache knows no prefix of the store: leave it out, and give FuncCache::prefix that of the cache",
                );
            }
            if store.servers.are_a_cluster() && !theirs.cluster {
                return refuse(
                    "two keys of a single policy aren't in one slot of a cluster: take FuncCache::cluster(), and a cluster policy there",
                );
            }
        }
        let Some(scripts) = structure::scripts_of(bound.policy) else {
            return refuse("there are no scripts for this policy");
        };
        let (kind, life) = match bound.lifetime {
            Lifetime::Entries => ("entries", Duration::ZERO),
            Lifetime::Sliding(life) => ("sliding", life),
            Lifetime::Fixed(life) => ("fixed", life),
        };
        let names = Names::new(&store.config.prefix, namespace, bound);
        if bookkeeping::is_reserved(&store.config.prefix, names.beginning().as_bytes()) {
            return refuse(
                "the prefix of the cache is reserved: keys that begin with `mrc:` are mrc's own; choose another",
            );
        }
        let lifetime = [Value::from(kind), Value::Integer(life_ms(life))];
        Ok(Self { store, names, scripts, lifetime, listeners: Listeners::default() })
    }

    /// Works like [`get`](CacheStore::get), without the box of a trait object's method.
    ///
    /// # Errors
    /// Those of `get`.
    pub async fn get_unboxed(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let place = self.place(key)?;
        let [kind, life] = self.lifetime.clone();
        let args = [Value::Bytes(place.field), Value::Integer(0), kind, life, self.theirs()];
        let parts = &place.structure.parts;
        if let Some((way, connection)) = self.store.servers.at_hand(|| slot_of(parts)) {
            let outcome = connection.client.send("EVALSHA", self.scripts.get.by_hash(parts, &args)).await;
            if !self.scripts.get.is_unknown(&outcome)
                && let Some(value) = self.store.servers.judge(&way, outcome)
            {
                return Ok(Value::into_bytes(value?).and_then(readable));
            }
        }
        let answer = Box::pin(self.store.run(&self.scripts.get, parts, &args)).await?;
        Ok(answer.into_bytes().and_then(readable))
    }

    fn place(&self, key: &str) -> Result<EntryField, StoreError> {
        let field = self.names.field(key).ok_or_else(|| {
            StoreError::Config(
                "a cache of redis_func_cache has entries of its calls only: make the spec of a FuncCall".into(),
            )
        })?;
        Ok(EntryField { structure: self.names.structure(key), field })
    }

    /// Runs a script on the structure of an entry, whose first argument is its field.
    async fn run(&self, script: &'static Script, place: &EntryField, args: &[Value]) -> Result<Value, StoreError> {
        self.store.run(script, &self.keys(place, &[]), &self.args(place, args)).await
    }

    /// Returns the keys of such a script, which may have more.
    fn keys(&self, place: &EntryField, more: &[Bytes]) -> Vec<Bytes> {
        let lease = place.structure.lease(&self.store.config.prefix, &place.field);
        [&place.structure.parts[..], &[lease], more].concat()
    }

    fn args(&self, place: &EntryField, args: &[Value]) -> Vec<Value> {
        [&[Value::Bytes(place.field.clone())], args, &[self.theirs()]].concat()
    }

    fn claim_args(&self, token: &Token, terms: Terms) -> [Value; 5] {
        let [kind, life] = self.lifetime.clone();
        [Value::from(token.as_str()), Value::Integer(life_ms(terms.lease)), most_left(terms.mode), kind, life]
    }

    /// Runs a script that stores a value. `indexes` are those of its tags. If one step may not
    /// evict enough entries, several steps do, and the last one stores.
    async fn store(
        &self,
        script: &'static Script,
        place: &EntryField,
        indexes: &[Bytes],
        args: &[Value],
    ) -> Result<u64, StoreError> {
        let (keys, args) = (self.keys(place, indexes), self.args(place, args));
        loop {
            let answer = match indexes {
                [] => self.store.run(script, &keys, &args).await?,
                _ => self.store.run_tagged(script, &keys, &args).await?,
            };
            let mut numbers = answer.into_array().into_iter().map(|number| number.as_u64());
            let (Some(Some(outcome)), Some(Some(entries))) = (numbers.next(), numbers.next()) else {
                return Err(unexpected("the answer to a fill can't be read"));
            };
            if entries > 0 {
                self.listeners.tell(&Event::Evicted { entries });
            }
            if outcome != NOT_YET {
                return Ok(outcome);
            }
        }
    }

    /// Returns all structures that exist.
    async fn structures(&self) -> Result<Vec<StructureKeys>, StoreError> {
        if let Some(all) = self.names.all() {
            return Ok(all.to_vec());
        }
        let beginning = self.names.beginning();
        let pages = scan::raw_beginning(&self.store.servers, &beginning);
        let keys: Vec<Vec<Bytes>> = pages.try_collect().await?;
        let mut keys = keys.concat();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys.iter().filter_map(|key| self.names.of_part(key)).collect())
    }

    /// Returns the number of values in these structures. Expired entries are removed first.
    async fn len(&self, structures: &[StructureKeys]) -> Result<u64, StoreError> {
        Ok(try_join_all(structures.iter().map(|structure| structure.len(&self.store))).await?.iter().sum())
    }

    /// Returns a page of the fields of one part, and the next cursor.
    async fn page(&self, walk: &PartWalk) -> Result<(Bytes, Vec<Bytes>), StoreError> {
        let part = &walk.structure.parts[walk.part];
        let is_set = walk.part == 0 && self.scripts.policy.victim() == Victim::Random;
        let scan = if is_set { "SSCAN" } else { "ZSCAN" };
        let (cursor, page) = scan::within(&self.store.servers, scan, part, &walk.cursor).await?;
        let fields = page.into_iter().filter_map(Value::into_bytes);
        // A sorted set's fields come with their scores.
        Ok((cursor, fields.step_by(if is_set { 1 } else { 2 }).collect()))
    }

    fn theirs(&self) -> Value {
        Value::Integer(self.names.is_theirs().into())
    }
}

struct PartWalk {
    structure: StructureKeys,
    part: usize,
    cursor: Bytes,
}

#[async_trait]
impl CacheStore for BoundedRedis {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.get_unboxed(key).await
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let [kind, life] = self.lifetime.clone();
        let answer = self.run(&self.scripts.get, &self.place(key)?, &[Value::Integer(1), kind, life]).await?;
        let mut answer = answer.into_array().into_iter().map(|part| part.into_bytes().unwrap_or_default());
        let (Some(value), Some(its_tags)) = (answer.next(), answer.next()) else { return Ok(None) };
        Ok(Found::read(value, &its_tags))
    }

    /// Returns `None`: a copy would be an entry beyond the bound.
    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.ttl(key).await.map(|_| None)
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.store.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        claimed(self.run(&CLAIM, &self.place(key)?, &self.claim_args(token, terms)).await?)
    }

    async fn claim_at(&self, key: &str, token: &Token, terms: Terms) -> Result<(Claim, Moment), StoreError> {
        if self.store.servers.are_a_cluster() {
            return try_join(self.claim(key, token, terms), self.now()).await;
        }
        let clock = [bookkeeping::clock_key(&self.store.config.prefix)];
        let place = self.place(key)?;
        let args = self.args(&place, &self.claim_args(token, terms));
        claimed_at(self.store.run(&CLAIM, &self.keys(&place, &clock), &args).await?)
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let (place, value) = (self.place(key)?, storable(value)?);
        life.tags.check()?;
        let member = place.structure.member(&place.field);
        let (mut keys, mut moments) = (Vec::new(), Vec::new());
        let (value, its_tags) = if life.tags.is_empty() {
            (value, Vec::new())
        } else {
            if let Some((indexes, args)) = self.store.tracked(&member, &life.tags) {
                keys = [&[bookkeeping::registry_key(&self.store.config.prefix)], &indexes[..]].concat();
                moments = [&[Value::Bytes(member)], &args[..]].concat();
            // The indexes come first: an invalidation in between finds the claim there.
            } else if !self.store.track(&member, &life.tags, life.ttl).await? {
                self.release(key, token).await?;
                return Ok(false);
            }
            (marked(&value), to_json(&life.tags))
        };
        let [kind, lifetime] = self.lifetime.clone();
        let args = [
            Value::from(token.as_str()),
            Value::Bytes(value),
            Value::Integer(life_ms(life.ttl)),
            Value::Bytes(its_tags.into()),
            place.structure.room(),
            kind,
            lifetime,
        ];
        let outcome = self.store(&self.scripts.fill, &place, &keys, &[&args, &moments[..]].concat()).await?;
        if outcome == TAG_INVALIDATED {
            self.release(key, token).await?;
        }
        Ok(outcome == STORED)
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        let answer = self.run(&RELEASE, &self.place(key)?, &[Value::from(token.as_str())]).await?;
        Ok(answer == Value::Integer(1))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let place = self.place(key)?;
        let [kind, life] = self.lifetime.clone();
        let args = [Value::Bytes(storable(value)?), Value::Integer(life_ms(ttl)), place.structure.room(), kind, life];
        self.store(&self.scripts.put, &place, &[], &args).await.map(drop)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        life_left(&self.run(&TTL, &self.place(key)?, &[]).await?)
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let mut fields: HashMap<StructureKeys, Vec<Value>> = HashMap::new();
        // A key that isn't text has no entry here.
        for key in keys.iter().filter_map(|key| std::str::from_utf8(key).ok()) {
            let EntryField { structure, field } = self.place(key)?;
            fields.entry(structure).or_default().push(Value::Bytes(field));
        }
        let scripts = fields.iter().flat_map(|(structure, fields)| {
            fields.chunks(FIELDS_AT_ONCE).map(async |fields| {
                let answer = self.store.run(&REMOVE, &structure.parts, &[fields, &[self.theirs()]].concat()).await?;
                answer.as_u64().ok_or_else(|| unexpected("the answer to a removal can't be read"))
            })
        });
        Ok(try_join_all(scripts).await?.iter().sum())
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        self.store.invalidate(tags).await
    }

    async fn invalidate_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        self.store.invalidate_each(tags).await
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        let pattern = pattern.clone();
        let walks = async {
            // Claims come first: a field moves from them to the order, never back.
            let walk = |structure: &StructureKeys, part| PartWalk {
                structure: structure.clone(),
                part,
                cursor: scan::START.into(),
            };
            let structures = self.structures().await?;
            self.len(&structures).await?;
            Ok::<_, StoreError>(structures.iter().flat_map(|it| [walk(it, 3), walk(it, 0)]).collect::<VecDeque<_>>())
        };
        let pages = async move {
            let walks = walks.await?;
            Ok::<_, StoreError>(try_unfold(walks, move |mut walks| {
                let pattern = pattern.clone();
                async move {
                    let Some(walk) = walks.front_mut() else { return Ok(None) };
                    let (cursor, fields) = self.page(walk).await?;
                    let keys = fields.into_iter().map(|field| self.names.key(&walk.structure, field));
                    let keys = keys.filter(|key| pattern.matches(key)).collect();
                    walk.cursor = cursor;
                    if walk.cursor == scan::START {
                        walks.pop_front();
                    }
                    Ok(Some((keys, walks)))
                }
            }))
        };
        futures_util::stream::once(pages).try_flatten().boxed()
    }

    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        Some(self)
    }

    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        self.store.tag_risks().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn listen(&self, listener: Arc<dyn EventListener>) {
        self.listeners.add(listener);
    }

    fn patience(&self) -> Duration {
        self.store.patience()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[async_trait]
impl BoundedCache for BoundedRedis {
    async fn count(&self) -> Result<u64, StoreError> {
        self.len(&self.structures().await?).await
    }

    async fn purge(&self) -> Result<u64, StoreError> {
        let structures = self.structures().await?;
        let purges = structures.iter().map(|structure| structure.purge(&self.store));
        Ok(try_join_all(purges).await?.iter().sum())
    }
}

impl fmt::Debug for BoundedRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedRedis").field("store", &self.store).field("names", &self.names).finish_non_exhaustive()
    }
}

/// Returns a life in ms, a century at most.
fn life_ms(life: Duration) -> i64 {
    millis(life.min(LONGEST))
}
