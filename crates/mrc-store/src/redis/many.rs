//! The steps of many entries: one command for all of them, in a cluster one for each slot.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use fred::interfaces::KeysInterface;
use fred::types::Value;
use fred::util::redis_keyslot;
use futures_util::future::{join, join_all};

use super::failure::unexpected;
use super::link::Connection;
use super::scripts::{CLAIM_MANY, FILL_MANY, Script};
use super::span::traced;
use super::store::{RedisStore, slot_of};
use super::wire::{claimed, millis, most_left, readable};
use crate::batch::{ToClaim, ToFill};
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, storable};

/// The number of keys of one MGET.
const KEYS_AT_ONCE: usize = 500;
/// The number of entries of one script, while other clients wait.
const ENTRIES_A_SCRIPT: usize = 250;
/// The size of the values of one script, before the last one.
const BYTES_A_SCRIPT: usize = 1 << 20;

/// One entry's part of a script.
struct Part {
    keys: [Bytes; 3],
    args: [Value; 4],
    /// The size of its value.
    bytes: usize,
}

/// The parts of one command, and their places among all.
struct Chunk<P> {
    places: Vec<usize>,
    parts: Vec<P>,
    bytes: usize,
}

impl<P> Chunk<P> {
    fn push(&mut self, at: usize, part: P, bytes: usize) {
        self.places.push(at);
        self.parts.push(part);
        self.bytes += bytes;
    }
}

impl RedisStore {
    pub(super) async fn get_all(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        let physical = keys.iter().map(|key| self.physical(key.as_bytes()));
        let get = |keys: Vec<Bytes>| async move {
            let keys = &keys;
            let command = |connection: Arc<Connection>| async move {
                let values = connection.client.mget::<Vec<Option<Bytes>>, _>(keys.clone());
                traced(&connection.address, "MGET", None, values).await
            };
            let values = self.servers.call(|| slot_of(keys), command).await?;
            Ok(values.into_iter().map(|value| Ok(value.and_then(readable))).collect())
        };
        self.each_slot(physical, |key| (key, 0), KEYS_AT_ONCE, get).await
    }

    pub(super) async fn claim_all(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        let parts = claims.iter().map(|one| {
            let [key, lease, copy, _] = self.companions(self.physical(one.key.as_bytes())?);
            let (lease_ms, has_copy) = (Value::Integer(millis(one.terms.lease)), Value::Integer(one.terms.copy.into()));
            let args = [Value::from(one.token.as_str()), lease_ms, most_left(one.terms.mode), has_copy];
            Ok(Part { keys: [key, lease, copy], args, bytes: 0 })
        });
        let claim = |parts| async move { Ok(self.run_parts(&CLAIM_MANY, parts).await?.map(claimed).collect()) };
        self.each_slot(parts, in_script, ENTRIES_A_SCRIPT, claim).await
    }

    /// Fills entries without tags at once, and each other entry by itself, at the same time.
    pub(super) async fn fill_all(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        let (tagged, plain): (Vec<_>, Vec<_>) =
            fills.into_iter().enumerate().partition(|(_, one)| !one.life.tags.is_empty());
        let (of_plain, plain): (Vec<usize>, Vec<ToFill<'_>>) = plain.into_iter().unzip();
        let parts = plain.into_iter().map(|one| {
            let value = storable(one.value)?;
            let [key, lease, copy, _] = self.companions(self.physical(one.key.as_bytes())?);
            let of_copy = if one.life.has_copy() { millis(one.life.of_copy()) } else { 0 };
            let (bytes, lives) = (value.len(), [millis(one.life.ttl), of_copy].map(Value::Integer));
            let [ttl, of_copy] = lives;
            let args = [Value::from(one.token.as_str()), Value::Bytes(value), ttl, of_copy];
            Ok(Part { keys: [key, lease, copy], args, bytes })
        });
        let stored = |answer| match answer {
            Value::Integer(answer) => Ok(answer == 1),
            _ => Err(unexpected("the answer to a fill can't be read")),
        };
        let fill = |parts| async move { Ok(self.run_parts(&FILL_MANY, parts).await?.map(stored).collect()) };
        let of_tagged = tagged
            .into_iter()
            .map(|(at, one)| async move { (at, self.fill(one.key, one.token, one.value, one.life).await) });
        let (of_tagged, answers) =
            join(join_all(of_tagged), self.each_slot(parts, in_script, ENTRIES_A_SCRIPT, fill)).await;
        let mut all: Vec<_> = of_plain.into_iter().zip(answers).chain(of_tagged).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn run_parts(
        &self,
        script: &'static Script,
        parts: Vec<Part>,
    ) -> Result<impl Iterator<Item = Value>, StoreError> {
        let (keys, args): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.keys, part.args)).unzip();
        let answer = self.run(script, &keys.concat(), &args.concat()).await?;
        Ok(answer.into_array().into_iter())
    }

    /// Runs a command for the parts of each slot at the same time, on one server for all parts, and
    /// returns the answers in the order of the parts. A failure of a command is that of its parts.
    async fn each_slot<P, T, F: Future<Output = Result<Vec<Result<T, StoreError>>, StoreError>>>(
        &self,
        parts: impl Iterator<Item = Result<P, StoreError>>,
        of: impl Fn(&P) -> (&Bytes, usize),
        most: usize,
        command: impl Fn(Vec<P>) -> F,
    ) -> Vec<Result<T, StoreError>> {
        let is_cluster = self.servers.are_a_cluster();
        let mut groups = BTreeMap::<u16, Vec<Chunk<P>>>::new();
        let group = |(at, part): (usize, Result<P, StoreError>)| {
            let part = part?;
            let (key, bytes) = of(&part);
            let chunks = groups.entry(if is_cluster { redis_keyslot(key) } else { 0 }).or_default();
            let chunk = chunks.last_mut().filter(|chunk| chunk.places.len() < most && chunk.bytes < BYTES_A_SCRIPT);
            match chunk {
                Some(chunk) => chunk.push(at, part, bytes),
                None => chunks.push(Chunk { places: vec![at], parts: vec![part], bytes }),
            }
            // Stays only if the server's answer is too short.
            Err(unexpected("the answers of several entries can't be read"))
        };
        let mut answers: Vec<Result<T, StoreError>> = parts.enumerate().map(group).collect();
        let answered = groups.into_values().flatten().map(|Chunk { places, parts, .. }| {
            let command = command(parts);
            async move { (places, command.await) }
        });
        for (places, outcome) in join_all(answered).await {
            let each = outcome.unwrap_or_else(|error| places.iter().map(|_| Err(error.again())).collect());
            for (at, answer) in places.into_iter().zip(each) {
                if let Some(place) = answers.get_mut(at) {
                    *place = answer;
                }
            }
        }
        answers
    }
}

fn in_script(part: &Part) -> (&Bytes, usize) {
    let [key, ..] = &part.keys;
    (key, part.bytes)
}
