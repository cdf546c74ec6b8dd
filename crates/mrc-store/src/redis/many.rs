//! The steps of many entries: one command for all of them, in a cluster one for each slot.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, join3};

use super::bookkeeping::registry_key;
use super::client::Value;
use super::failure::unexpected;
use super::hash::key_slot;
use super::link::Connection;
use super::scripts::{CLAIM_MANY, FILL, FILL_MANY, FILL_TAGGED};
use super::store::{RedisStore, slot_of, values};
use super::wire::{claimed, marked, millis, moment, most_left, readable, to_json};
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, ToClaim, ToFill, storable};
use crate::tags::Moment;

/// The number of keys of one MGET.
const KEYS_AT_ONCE: usize = 500;
/// The entries of one script, while other clients wait. An entry with tags counts once for each.
const ENTRIES_A_SCRIPT: usize = 250;
/// The size of the values of one script, before the last one.
const BYTES_A_SCRIPT: usize = 1 << 20;

/// One entry's part of a script.
struct Part {
    keys: Vec<Bytes>,
    args: Vec<Value>,
    size: Size,
}

/// The size of a part, or of all parts of a command.
#[derive(Clone, Copy)]
struct Size {
    entries: usize,
    /// The bytes of values.
    bytes: usize,
}

impl Size {
    const KEY: Self = Self { entries: 1, bytes: 0 };
}

/// The parts of one command, and their places among all.
struct Chunk<P> {
    places: Vec<usize>,
    parts: Vec<P>,
    size: Size,
}

impl<P> Chunk<P> {
    fn push(&mut self, at: usize, part: P, size: Size) {
        self.places.push(at);
        self.parts.push(part);
        self.size.entries += size.entries;
        self.size.bytes += size.bytes;
    }
}

impl RedisStore {
    pub(super) async fn get_all(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        let get = |keys: Vec<Bytes>| async move {
            let keys = &keys;
            let command = |connection: Arc<Connection>| async move { connection.send("MGET", values(keys)).await };
            let values = self.servers.call(|| slot_of(keys), command).await?.into_array();
            Ok(values.into_iter().map(|value| Ok(value.into_bytes().and_then(readable))).collect())
        };
        self.each_slot(self.each_physical(keys), |key| (key, Size::KEY), KEYS_AT_ONCE, get).await
    }

    /// Claims the keys. On one server also reads the clock; else the time is the clock's beginning.
    pub(super) async fn claim_all(
        &self,
        claims: &[ToClaim<'_>],
        clock: Option<&Bytes>,
    ) -> Vec<Result<(Claim, Moment), StoreError>> {
        let parts = claims.iter().map(|one| {
            let [key, lease, copy, _] = self.companions(self.physical(one.key.as_bytes())?);
            let (lease_ms, has_copy) = (Value::Integer(millis(one.terms.lease)), Value::Integer(one.terms.copy.into()));
            let args = vec![Value::from(one.token.as_str()), lease_ms, most_left(one.terms.mode), has_copy];
            Ok(Part { keys: vec![key, lease, copy], args, size: Size::KEY })
        });
        let claim = |parts| async move {
            let (keys, args) = joined(clock, parts);
            let mut answers = self.run(&CLAIM_MANY, &keys, &args).await?.into_array();
            let now = if clock.is_some() { moment(answers.pop())? } else { Moment::default() };
            Ok(answers.into_iter().map(|answer| Ok((claimed(answer)?, now))).collect())
        };
        self.each_slot(parts, in_script, ENTRIES_A_SCRIPT, claim).await
    }

    /// Fills entries without tags at once, and entries with tags at once if one script can register
    /// them. Fills each other entry by itself. All at the same time.
    pub(super) async fn fill_all(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        let (mut plain, mut tagged, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (at, one) in fills.into_iter().enumerate() {
            if one.life.tags.is_empty() {
                plain.push((at, self.plain_part(one)));
                continue;
            }
            match self.tagged_part(&one) {
                Ok((part, false)) => alone.push((at, one, part)),
                part => tagged.push((at, part.map(|(part, _)| part))),
            }
        }
        let (of_plain, plain): (Vec<usize>, Vec<_>) = plain.into_iter().unzip();
        let (of_tagged, tagged): (Vec<usize>, Vec<_>) = tagged.into_iter().unzip();
        let fill_plain = |parts| async move {
            let (keys, args) = joined(None, parts);
            Ok(all_stored(self.run(&FILL_MANY, &keys, &args).await?))
        };
        let (plain, tagged, alone) = join3(
            self.each_slot(plain.into_iter(), in_script, ENTRIES_A_SCRIPT, fill_plain),
            self.each_slot(tagged.into_iter(), in_script, ENTRIES_A_SCRIPT, |parts| self.fill_parts(parts)),
            join_all(
                alone.into_iter().map(|(at, one, part)| async move { (at, self.fill_after_tracks(one, part).await) }),
            ),
        )
        .await;
        let (plain, tagged) = (of_plain.into_iter().zip(plain), of_tagged.into_iter().zip(tagged));
        let mut all: Vec<_> = plain.chain(tagged).chain(alone).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, answer)| answer).collect()
    }

    pub(super) async fn fill_tagged(&self, one: ToFill<'_>) -> Result<bool, StoreError> {
        let (part, registers) = self.tagged_part(&one)?;
        if !registers {
            return self.fill_after_tracks(one, part).await;
        }
        let stored = self.fill_parts(vec![part]).await?.pop();
        stored.unwrap_or_else(|| Err(unexpected("a fill was left without an answer")))
    }

    /// Registers the key by scripts of their own, and then fills its entry.
    async fn fill_after_tracks(&self, one: ToFill<'_>, part: Part) -> Result<bool, StoreError> {
        // The tracks come first, so that an invalidation in between finds the key and its claim.
        if !self.track(&self.physical(one.key.as_bytes())?, &one.life.tags, one.life.of_copy()).await? {
            self.release(one.key, one.token).await?;
            return Ok(false);
        }
        // The fill replaces the tags, so it also removes an older copy.
        Ok(self.run(&FILL, &part.keys, &part.args).await? == Value::Integer(1))
    }

    /// Fills entries with tags by the script that registers them too.
    async fn fill_parts(&self, parts: Vec<Part>) -> Result<Vec<Result<bool, StoreError>>, StoreError> {
        let (keys, args) = joined(Some(&registry_key(&self.config.prefix)), parts);
        Ok(all_stored(self.run_tagged(&FILL_TAGGED, &keys, &args).await?))
    }

    fn plain_part(&self, one: ToFill<'_>) -> Result<Part, StoreError> {
        let value = storable(one.value)?;
        let [key, lease, copy, _] = self.companions(self.physical(one.key.as_bytes())?);
        let of_copy = if one.life.has_copy() { millis(one.life.of_copy()) } else { 0 };
        let size = Size { entries: 1, bytes: value.len() };
        let [ttl, of_copy] = [millis(one.life.ttl), of_copy].map(Value::Integer);
        let args = vec![Value::from(one.token.as_str()), Value::Bytes(value), ttl, of_copy];
        Ok(Part { keys: vec![key, lease, copy], args, size })
    }

    /// Returns the part of a fill with tags, and whether its script can register them too.
    fn tagged_part(&self, one: &ToFill<'_>) -> Result<(Part, bool), StoreError> {
        let ToFill { key, token, value, life } = one;
        let value = marked(&storable(value.clone())?);
        life.tags.check()?;
        let size = Size { entries: life.tags.len(), bytes: value.len() };
        let [ttl, of_copy] = [life.ttl, life.of_copy()].map(|life| Value::Integer(millis(life)));
        let (of_tags, has_copy) = (Value::Bytes(to_json(&life.tags).into()), Value::Integer(life.has_copy().into()));
        let mut args = vec![Value::from(token.as_str()), Value::Bytes(value), ttl, of_copy, of_tags, has_copy];
        let key = self.physical(key.as_bytes())?;
        let tracked = self.tracked(&key, &life.tags);
        let (mut keys, registers) = (self.companions(key).to_vec(), tracked.is_some());
        if let Some((indexes, moments)) = tracked {
            keys.extend(indexes);
            args.extend(moments);
        }
        Ok((Part { keys, args, size }, registers))
    }

    /// Runs a command for the parts of each slot at the same time, on one server for all parts, and
    /// returns the answers in the order of the parts. A failure of a command is that of its parts.
    async fn each_slot<P, T, F: Future<Output = Result<Vec<Result<T, StoreError>>, StoreError>>>(
        &self,
        parts: impl Iterator<Item = Result<P, StoreError>>,
        of: impl Fn(&P) -> (&Bytes, Size),
        most: usize,
        command: impl Fn(Vec<P>) -> F,
    ) -> Vec<Result<T, StoreError>> {
        let is_cluster = self.servers.are_a_cluster();
        let mut groups = BTreeMap::<u16, Vec<Chunk<P>>>::new();
        let group = |(at, part): (usize, Result<P, StoreError>)| {
            let part = part?;
            let (key, size) = of(&part);
            let chunks = groups.entry(if is_cluster { key_slot(key) } else { 0 }).or_default();
            let is_room =
                |chunk: &&mut Chunk<P>| chunk.size.entries + size.entries <= most && chunk.size.bytes < BYTES_A_SCRIPT;
            match chunks.last_mut().filter(is_room) {
                Some(chunk) => chunk.push(at, part, size),
                None => chunks.push(Chunk { places: vec![at], parts: vec![part], size }),
            }
            Ok(())
        };
        let mut answers: Vec<Option<Result<T, StoreError>>> =
            parts.enumerate().map(group).map(|grouped| grouped.err().map(Err)).collect();
        let answered = groups.into_values().flatten().map(|Chunk { places, parts, .. }| {
            let command = command(parts);
            async move { (places, command.await) }
        });
        // A known number of futures costs `join_all` less.
        let answered: Vec<_> = answered.collect();
        for (places, outcome) in join_all(answered).await {
            let each = outcome.unwrap_or_else(|error| places.iter().map(|_| Err(error.again())).collect());
            for (at, answer) in places.into_iter().zip(each) {
                if let Some(place) = answers.get_mut(at) {
                    *place = Some(answer);
                }
            }
        }
        let too_few = || Err(unexpected("the answers of several entries can't be read"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(too_few)).collect()
    }
}

fn in_script(part: &Part) -> (&Bytes, Size) {
    static NONE: Bytes = Bytes::new();
    (part.keys.first().unwrap_or(&NONE), part.size)
}

/// Returns the keys and arguments of a script for all parts. `first` comes before their keys.
fn joined(first: Option<&Bytes>, parts: Vec<Part>) -> (Vec<Bytes>, Vec<Value>) {
    let (keys, args): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.keys, part.args)).unzip();
    (first.cloned().into_iter().chain(keys.into_iter().flatten()).collect(), args.into_iter().flatten().collect())
}

fn all_stored(answers: Value) -> Vec<Result<bool, StoreError>> {
    let stored = |answer| match answer {
        Value::Integer(answer) => Ok(answer == 1),
        _ => Err(unexpected("the answer to a fill can't be read")),
    };
    answers.into_array().into_iter().map(stored).collect()
}
