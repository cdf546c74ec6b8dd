//! The books of followers: positions, leases, and the registry of schemes.
//!
//! | key | content |
//! |---|---|
//! | `mrc:f:{name}` | a hash: `position`; its `number`, counted by advances; `history`, the name of the server's; `again`, the call that told its follower to invalidate again; `at`, the time of its writing in ms; `lag` in ms; `schemes`, 1 or 0 |
//! | `mrc:f:{name}:l` | the token of the follower that has the lease |
//! | `mrc:f:{slot}:{name}` | in a cluster: a copy of `number` and `position` on each primary, with its `history` |
//! | `mrc:w:{number}` | a hash: a scheme's tag → its registration; it lies in the slot of the clock |
//!
//! A server may go back: it restarts from a snapshot, or a replica without its newest writes takes
//! over. The position goes back with it. If only what was done since the position is lost, the
//! history shows it.
//!
//! In a cluster one primary may go back by itself. Entries have risen again then, or the indexes
//! have lost some, and entry and index may lie on different primaries: so all entries with tags are
//! removed, and the position follows the oldest copy. A copy is written after the position, and the
//! position goes back before the copies do, so that after a stop anywhere it is noticed again.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use mrc_core::depends::SchemeName;

use super::bookkeeping;
use super::client::Value;
use super::failure::unexpected;
use super::scan;
use super::scripts::{ADVANCE, CHECKPOINT, COPY_POSITION, END_LEASE, GO_BACK, LEASE, REGISTER, REGISTERED, SCHEMES};
use super::store::RedisStore;
use super::wire::{micros, millis};
use crate::books::{
    self, Advance, Checkpoint, Checkpoints, Lease, MOST_SCHEMES, POSITION_KEPT, Reached, Registry, Schemes,
};
use crate::bound::layout::structure_of;
use crate::error::StoreError;
use crate::lock::lock;
use crate::store::{CacheStore, LONGEST, ScanPattern, Token};
use crate::tags::{Moment, Tags};

#[async_trait]
impl Checkpoints for RedisStore {
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError> {
        let answer = self.run(&CHECKPOINT, &self.follower_keys(name), &[]).await?.into_array();
        let [position, age, leader, lag, by_schemes] = answer.as_slice() else { return Ok(None) };
        Ok(Some(Checkpoint {
            position: position.as_string().ok_or_else(|| unexpected("the position can't be read"))?,
            age: Duration::from_millis(age.as_u64().unwrap_or_default()),
            lag: Duration::from_millis(lag.as_u64().unwrap_or_default()),
            by_schemes: by_schemes.as_u64() == Some(1),
            leader: leader.as_string().filter(|leader| !leader.is_empty()),
        }))
    }

    async fn advance(
        &self,
        name: &str,
        owner: &Token,
        from: Option<&str>,
        to: Reached<'_>,
    ) -> Result<Advance, StoreError> {
        let kept = Value::Integer(millis(POSITION_KEPT));
        let lag = Value::Integer(to.lag.as_millis().try_into().unwrap_or(i64::MAX));
        let by_schemes = Value::Integer(to.by_schemes.into());
        let call = Token::from_bits(rand::random());
        let told = lock(&self.told).get(name).cloned();
        let told = told.as_ref().map(Token::as_str).unwrap_or_default();
        let [owned_by, from_arg] = [owner.as_str(), from.unwrap_or_default()].map(Value::from);
        let args = [owned_by, from_arg, to.position.into(), kept, lag, by_schemes, call.as_str().into(), told.into()];
        match self.run(&ADVANCE, &self.follower_keys(name), &args).await? {
            Value::Integer(0) => Ok(Advance::NoLease),
            Value::Integer(number) => self.advance_copies(name, owner, (number, to.position), from.is_none()).await,
            other => {
                lock(&self.told).insert(name.to_owned(), call);
                Ok(Advance::Differs(other.as_string().filter(|position| !position.is_empty())))
            }
        }
    }

    async fn lease(&self, name: &str, owner: &Token, life: Duration) -> Result<Lease, StoreError> {
        let args = [owner.as_str().into(), Value::Integer(millis(life))];
        let answer = self.run(&LEASE, &self.follower_keys(name)[1..], &args).await?;
        match answer.as_i64() {
            Some(0) => Ok(Lease::Ours),
            Some(left) => Ok(Lease::Taken { left: Duration::from_millis(left.unsigned_abs()) }),
            None => Err(unexpected("the answer to a lease can't be read")),
        }
    }

    async fn end_lease(&self, name: &str, owner: &Token) -> Result<(), StoreError> {
        self.run(&END_LEASE, &self.follower_keys(name)[1..], &[owner.as_str().into()]).await.map(drop)
    }
}

#[async_trait]
impl Schemes for RedisStore {
    async fn register(&self, schemes: &[SchemeName]) -> Result<Vec<SchemeName>, StoreError> {
        if schemes.is_empty() {
            return Ok(Vec::new());
        }
        let prefix = &self.config.prefix;
        let most = Value::Integer(MOST_SCHEMES.try_into().unwrap_or(i64::MAX));
        let names = schemes.iter().flat_map(|scheme| [scheme.tag.as_str().into(), (&*scheme.text).into()]);
        let args: Vec<Value> = [millis(books::REGISTERED).into(), most].into_iter().chain(names).collect();
        let keys = [bookkeeping::registry_key(prefix), bookkeeping::clock_key(prefix)];
        let answers = self.run(&REGISTER, &keys, &args).await?.into_array();
        // A clock read in flight may be older: a claim that shares it would have its fill refused.
        self.forget_clock();
        if answers.len() != schemes.len() {
            return Err(unexpected("the answer to a registration can't be read"));
        }
        let refused = schemes.iter().zip(answers).filter(|(_, answer)| *answer != Value::Integer(1));
        Ok(refused.map(|(scheme, _)| scheme.clone()).collect())
    }

    async fn registry(&self, known: Option<Moment>) -> Result<Option<Registry>, StoreError> {
        let known = known.map_or_else(String::new, |known| known.as_micros().to_string());
        let key = bookkeeping::registry_key(&self.config.prefix);
        let mut answer = self.run(&SCHEMES, &[key], &[known.into()]).await?.into_array().into_iter();
        let Some(born) = answer.next() else { return Ok(None) };
        let moment = |value: Option<Value>| {
            let moment = value.and_then(|value| value.as_u64()).map(Moment::from_micros);
            moment.ok_or_else(|| unexpected("the version of the registry can't be read"))
        };
        let (born, version) = (moment(Some(born))?, moment(answer.next())?);
        let schemes = answer.filter_map(Value::into_string).map(SchemeName::new).collect();
        Ok(Some(Registry { born, version, schemes }))
    }
}

impl RedisStore {
    /// Copies a new position to each primary, and goes back if a primary may have gone back.
    async fn advance_copies(
        &self,
        name: &str,
        owner: &Token,
        (number, position): (i64, &str),
        is_first: bool,
    ) -> Result<Advance, StoreError> {
        let slots = self.servers.first_slots().await?;
        let keys = slots.into_iter().filter_map(|at| bookkeeping::position_copy_key(&self.config.prefix, at, name));
        let mut copies: Vec<_> = keys.map(|key| (key, Bytes::new())).collect();
        let older = self.copy_position(&mut copies, number, position).await?;
        let Some((_, older)) = older else { return Ok(Advance::Done) };
        self.remove_all_tagged().await?;
        if is_first {
            // Everything has been invalidated: there is nothing to go back to.
            while self.copy_position(&mut copies, number, position).await?.is_some() {
                self.remove_all_tagged().await?;
            }
            return Ok(Advance::Done);
        }
        let call = Token::from_bits(rand::random());
        let args = [owner.as_str(), older.as_str(), call.as_str()].map(Value::from);
        let number = self.run(&GO_BACK, &self.follower_keys(name), &args).await?.as_i64();
        let number = number.ok_or_else(|| unexpected("the number of the position can't be read"))?;
        if number == 0 {
            return Ok(Advance::NoLease);
        }
        lock(&self.told).insert(name.to_owned(), call);
        // A primary that has gone back since refuses again, and the next call finds it.
        self.copy_position(&mut copies, number, &older).await?;
        Ok(Advance::Differs(Some(older).filter(|position| !position.is_empty())))
    }

    /// Removes every entry that has tags, and all bounded caches, by scans.
    async fn remove_all_tagged(&self) -> Result<(), StoreError> {
        let prefix = self.config.prefix.as_str();
        // First the leases: an index may lack a fill in flight, which is refused without its lease.
        let leases = bookkeeping::all_leases(prefix);
        let mut pages = pin!(scan::raw_beginning(&self.servers, &leases));
        while let Some(page) = pages.try_next().await? {
            try_join_all(page.into_iter().map(|lease| self.unlink(vec![lease]))).await?;
        }
        let tags = bookkeeping::all_tags(prefix);
        let mut pages = pin!(scan::raw_beginning(&self.servers, &tags));
        while let Some(page) = pages.try_next().await? {
            let entries = page.iter().filter_map(|tags| bookkeeping::entry_of_tags(prefix, tags));
            self.remove(&entries.collect::<Vec<_>>()).await?;
        }
        let mut pages = self.scan(&ScanPattern::All);
        while let Some(mut page) = pages.try_next().await? {
            page.retain(|key| structure_of(key).is_some());
            if !page.is_empty() {
                self.remove(&page).await?;
            }
        }
        Ok(())
    }

    /// Writes copies, each with the history that its primary must have, or empty for that of the
    /// copy. A refused one gets the present history. Returns the oldest number and position of
    /// those.
    async fn copy_position(
        &self,
        copies: &mut [(Bytes, Bytes)],
        number: i64,
        position: &str,
    ) -> Result<Option<(i64, String)>, StoreError> {
        let writes = copies.iter_mut().map(async |(key, history)| {
            let ttl = Value::Integer(millis(POSITION_KEPT));
            let args = [Value::Integer(number), position.into(), ttl, Value::Bytes(history.clone())];
            let answer = self.run(&COPY_POSITION, std::slice::from_ref(key), &args).await?.into_array();
            let [number, position, now] = answer.as_slice() else { return Ok(None) };
            *history = now.as_string().unwrap_or_default().into();
            Ok::<_, StoreError>(Some((number.as_i64().unwrap_or_default(), position.as_string().unwrap_or_default())))
        });
        Ok(try_join_all(writes).await?.into_iter().flatten().min())
    }

    fn follower_keys(&self, name: &str) -> [Bytes; 2] {
        bookkeeping::follower_keys(&self.config.prefix, name)
    }

    /// Returns whether the tags' schemes were registered before their moments, and keeps them.
    pub(super) async fn are_registered(&self, tags: &Tags, life: Duration) -> Result<bool, StoreError> {
        let life = Value::from(millis(life.min(LONGEST)));
        let args: Vec<Value> = std::iter::once(life).chain(schemes_of(tags)).collect();
        if args.len() == 1 {
            return Ok(true);
        }
        let key = bookkeeping::registry_key(&self.config.prefix);
        Ok(self.run(&REGISTERED, &[key], &args).await? == Value::Integer(1))
    }
}

/// Returns the tags of schemes, each with its moment.
pub(super) fn schemes_of(tags: &Tags) -> impl Iterator<Item = Value> {
    let schemes = tags.iter().filter(|(tag, _)| SchemeName::is_tag(tag.as_str()));
    schemes.flat_map(|(tag, since)| [tag.as_str().into(), micros(since)])
}
