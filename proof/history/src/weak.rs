//! The store of a process: without a part of the protocol, or with pauses between its steps.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{KeysInterface, LuaInterface};
use fred::types::{Expiration, Value};
use fred::util::sha1_hash;
use mrc::config::RedisConfig;
use mrc::errors::StoreError;
use mrc::store::{
    BoundedCache, CacheStore, Checkpoints, Claim, ClaimMode, Found, KeyPages, Life, Moment, RedisStore, ScanPattern,
    Schemes, Tags, Terms, ToClaim, ToFill, Token,
};
use mrc::{Bound, EventListener, Tag};
use serde_json::json;

use crate::Res;
use crate::items::COMMAND_TIMEOUT;
use crate::lack::{BUMP, Lack, PRUNE, Scripts, TICK};
use crate::paused::Pauses;
use crate::proxy::{builder, redis};
use crate::record::Count;

/// How long an invalidation is remembered, in µs.
const MEMORY_US: u64 = 300_000_000;

/// Returns the store of a process: the product's, or one that is weakened or pauses.
pub(crate) async fn store(port: u16, lack: Option<Lack>, pauses: Option<Pauses>) -> Res<Arc<dyn CacheStore>> {
    let config = RedisConfig::new("127.0.0.1", port).command_timeout(COMMAND_TIMEOUT);
    let whole = Arc::new(RedisStore::new(config.max_reconnect_delay(Duration::from_millis(20)))?);
    // The client decides what a follower of a flight takes.
    let is_of_store = |lack: &Lack| !matches!(lack, Lack::FollowerRule | Lack::CloseFirst) && !lack.is_of_follower();
    let lack = lack.filter(is_of_store);
    let client = match lack {
        Some(_) => redis(port, COMMAND_TIMEOUT).await?,
        None if pauses.is_none() => return Ok(whole),
        // It never connects.
        None => builder(port, COMMAND_TIMEOUT)?.build()?,
    };
    let (token, scripts) = (Token::from_bits(rand::random()), Scripts::without(lack)?);
    Ok(Arc::new(Weak { whole, lack, client, scripts, token, pauses }))
}

/// The store without a part of the protocol, and with pauses.
#[derive(Debug, Clone)]
struct Weak {
    whole: Arc<dyn CacheStore>,
    lack: Option<Lack>,
    /// Runs the weakened scripts.
    client: Client,
    scripts: Scripts,
    /// The token of all claims, if the process uses one again.
    token: Token,
    pauses: Option<Pauses>,
}

impl Weak {
    /// Returns the key, its lease, perhaps the copy and the tags. Our keys hold no braces.
    fn keys(&self, key: &str, how_many: usize) -> Vec<String> {
        let all = [key.to_owned(), format!("mrc:l:{{{key}}}"), self.copy_key(key), format!("mrc:g:{{{key}}}")];
        all.into_iter().take(how_many).collect()
    }

    fn copy_key(&self, key: &str) -> String {
        match self.lack {
            // The hash is the same in every process.
            Some(Lack::CopyName) => format!("copy:{:x}", BuildHasherDefault::<DefaultHasher>::default().hash_one(key)),
            _ => format!("mrc:s:{{{key}}}"),
        }
    }

    /// Registers the key under its tags. Returns `false` if one was invalidated since.
    async fn track(&self, key: &str, life: &Life) -> Result<bool, StoreError> {
        for (tag, since) in life.tags.iter() {
            let args = [key.to_owned(), millis(life.of_copy()), MEMORY_US.to_string(), since.as_micros().to_string()];
            let tracked: i64 =
                self.client.eval(&*self.scripts.track, index(tag), args.to_vec()).await.map_err(failed)?;
            if tracked == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Invalidates a tag of few entries as the product does.
    async fn drop_tagged(&self, tag: &Tag) -> Result<u64, Error> {
        let moment: String = self.client.eval(TICK, "mrc:clk", "1").await?;
        let args = [(MEMORY_US / 1_000).to_string(), "1000".to_owned(), moment];
        let registered: Vec<Value> = self.client.eval(BUMP, index(tag), args.to_vec()).await?;
        let members: Vec<Value> = registered.into_iter().skip(1).collect();
        let members: Vec<(String, Value)> = members
            .chunks_exact(2)
            .filter_map(|member| Some((member[0].as_string()?, member[1].clone())))
            .filter(|(key, _)| !key.is_empty())
            .collect();
        if members.is_empty() {
            return Ok(0);
        }
        let keys: Vec<String> = members.iter().flat_map(|(key, _)| self.keys(key, 4)).collect();
        let dropped: Vec<i64> = self.client.eval(&*self.scripts.drop, keys, tag.as_str()).await?;
        let done: Vec<Value> = members.into_iter().flat_map(|(key, score)| [Value::from(key), score]).collect();
        let _: Value = self.client.eval(PRUNE, index(tag), done).await?;
        Ok(dropped.into_iter().filter(|count| *count > 0).count() as u64)
    }

    /// Fills as the peers do.
    async fn set(&self, key: &str, value: Bytes, life: &Life) -> Result<bool, StoreError> {
        let ttl = Expiration::PX(life.ttl.as_millis().max(1).try_into().unwrap_or(i64::MAX));
        self.client.set(key, value, Some(ttl), None, false).await.map(|()| true).map_err(failed)
    }

    async fn pause(&self, place: Count, is_due: bool) {
        if let Some(pauses) = self.pauses.as_ref().filter(|_| is_due) {
            pauses.at(place).await;
        }
    }

    async fn claimed(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        match (self.lack, terms.mode) {
            (Some(Lack::Everything), _) => Ok(Claim::Granted),
            // A fill's claim is the same without the mark.
            (Some(Lack::RefreshMark), ClaimMode::Refresh | ClaimMode::Renew { .. }) | (Some(Lack::CopyName), _) => {
                let most_left = match terms.mode {
                    ClaimMode::Fill => 0,
                    ClaimMode::Refresh => u32::MAX.into(),
                    ClaimMode::Renew { left } => left.as_millis().max(1),
                };
                let args = [token.as_str().to_owned(), millis(terms.lease), most_left.to_string()];
                let keys = self.keys(key, if terms.copy { 3 } else { 2 });
                let answer: Value =
                    self.client.eval(&*self.scripts.claim, keys, args.to_vec()).await.map_err(failed)?;
                let mut answer = answer.into_array().into_iter();
                Ok(match (answer.next(), answer.next().and_then(Value::into_bytes)) {
                    (Some(Value::Integer(1)), _) => Claim::Granted,
                    (Some(Value::Integer(2)), Some(value)) => Claim::Hit(value),
                    _ => Claim::Busy { lease_left: None },
                })
            }
            _ => self.whole.claim(key, self.token(token), terms).await,
        }
    }

    async fn filled(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        use Lack::{BatchClaim, LeaseRule, NestedMoment, NewToken};
        if self.lack == Some(Lack::Everything) {
            return self.set(key, value, &life).await;
        }
        if matches!(self.lack, None | Some(NewToken | LeaseRule | NestedMoment | BatchClaim)) {
            return self.whole.fill(key, self.token(token), value, life).await;
        }
        let index_first = self.lack != Some(Lack::IndexFirst);
        if index_first && !self.track(key, &life).await? {
            self.release(key, token).await?;
            return Ok(false);
        }
        let lives = [life.ttl, life.of_copy()].map(|life| Value::from(millis(life)));
        let (mut keys, mut value) = (if life.has_copy() { 3 } else { 2 }, Value::Bytes(value));
        let mut tags = None;
        if !life.tags.is_empty() {
            let of_entry: BTreeMap<_, _> =
                life.tags.iter().map(|(tag, since)| (tag.as_str(), since.as_micros())).collect();
            (keys, value) = (4, Value::from([value.as_bytes().unwrap_or_default(), b"\n"].concat().as_slice()));
            tags = Some(Value::from(json!(of_entry).to_string()));
        }
        let args: Vec<_> = [Value::from(token.as_str()), value].into_iter().chain(lives).chain(tags).collect();
        let stored: i64 = self.client.eval(&*self.scripts.fill, self.keys(key, keys), args).await.map_err(failed)?;
        Ok(stored == 1 && (index_first || self.track(key, &life).await?))
    }

    fn token<'a>(&'a self, given: &'a Token) -> &'a Token {
        if self.lack == Some(Lack::NewToken) { &self.token } else { given }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CacheStore for Weak {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let value = self.whole.get(key).await;
        // After a hit no step follows that could go wrong.
        self.pause(Count::AfterGet, matches!(value, Ok(None))).await;
        value
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let mut found = self.whole.look(key).await;
        if self.lack == Some(Lack::NestedMoment)
            && let Ok(Some(Found { tags: Some(tags), .. })) = &mut found
        {
            let now = self.whole.now().await?;
            *tags = tags.iter().map(|(tag, _)| (tag.clone(), now)).collect();
        }
        self.pause(Count::AfterGet, matches!(found, Ok(None))).await;
        found
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        match self.lack {
            Some(Lack::CopyName) => {
                let copy: Option<Bytes> = self.client.get(self.copy_key(key)).await.map_err(failed)?;
                let copy = copy.filter(|value| !value.is_empty());
                // Values with tags end in a line feed. Lost tags keep them out of other entries.
                Ok(copy.map(|value| Found { tags: (!value.ends_with(b"\n")).then(Tags::default), value }))
            }
            _ => self.whole.stale(key).await,
        }
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.whole.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let claim = self.claimed(key, token, terms).await;
        self.pause(Count::AfterClaim, matches!(claim, Ok(Claim::Granted))).await;
        claim
    }

    async fn claim_at(&self, key: &str, token: &Token, terms: Terms) -> Result<(Claim, Moment), StoreError> {
        let claim = match self.lack {
            None => self.whole.claim_at(key, token, terms).await,
            Some(_) => tokio::try_join!(self.claimed(key, token, terms), self.now()),
        };
        self.pause(Count::AfterClaim, matches!(claim, Ok((Claim::Granted, _)))).await;
        claim
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let filled = self.filled(key, token, value, life).await;
        self.pause(Count::AfterFill, true).await;
        filled
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        let values = self.whole.get_many(keys).await;
        self.pause(Count::AfterGet, values.iter().any(|value| matches!(value, Ok(None)))).await;
        values
    }

    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        let mut answers = Vec::with_capacity(claims.len());
        match self.lack {
            None => answers = self.whole.claim_many(claims).await,
            Some(Lack::BatchClaim) => answers.extend(claims.iter().map(|_| Ok(Claim::Granted))),
            Some(_) => {
                for one in claims {
                    answers.push(self.claimed(one.key, one.token, one.terms).await);
                }
            }
        }
        self.pause(Count::AfterClaim, answers.iter().any(|claim| matches!(claim, Ok(Claim::Granted)))).await;
        answers
    }

    async fn claim_many_at(&self, claims: &[ToClaim<'_>]) -> Vec<Result<(Claim, Moment), StoreError>> {
        let mut answers = Vec::with_capacity(claims.len());
        match self.lack {
            None => answers = self.whole.claim_many_at(claims).await,
            Some(lack) => {
                for one in claims {
                    let now = self.now().await;
                    let claim = match lack {
                        Lack::BatchClaim => Ok(Claim::Granted),
                        _ => self.claimed(one.key, one.token, one.terms).await,
                    };
                    answers.push(claim.and_then(|claim| Ok((claim, now?))));
                }
            }
        }
        self.pause(Count::AfterClaim, answers.iter().any(|claim| matches!(claim, Ok((Claim::Granted, _))))).await;
        answers
    }

    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        let mut answers = Vec::with_capacity(fills.len());
        match self.lack {
            None => answers = self.whole.fill_many(fills).await,
            Some(lack) => {
                for one in fills {
                    answers.push(match lack {
                        Lack::BatchClaim => self.set(one.key, one.value, &one.life).await,
                        _ => self.filled(one.key, one.token, one.value, one.life).await,
                    });
                }
            }
        }
        self.pause(Count::AfterFill, true).await;
        answers
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.whole.release(key, self.token(token)).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.whole.put(key, value, ttl).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        self.whole.ttl(key).await
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.whole.remove(keys).await
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        match (self.lack, tags) {
            (Some(Lack::LeaseRule), [tag]) => self.drop_tagged(tag).await.map_err(failed),
            _ => self.whole.invalidate(tags).await,
        }
    }

    async fn invalidate_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        if self.lack != Some(Lack::LeaseRule) {
            return self.whole.invalidate_each(tags).await;
        }
        let mut removed = Vec::with_capacity(tags.len());
        for tag in tags {
            removed.push(self.invalidate(std::slice::from_ref(tag)).await?);
        }
        Ok(removed)
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        self.whole.scan(pattern)
    }

    /// Bounded entries keep every part of the protocol.
    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        let whole = Arc::clone(&self.whole).bounded(namespace, bound)?;
        Ok(Arc::new(Self { whole, lack: None, ..Self::clone(&self) }))
    }

    fn as_schemes(&self) -> Option<&dyn Schemes> {
        self.whole.as_schemes()
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        self.whole.as_checkpoints()
    }

    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        self.whole.as_bounded()
    }

    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.whole.exist(keys).await
    }

    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        self.whole.scan_size().await
    }

    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        self.whole.tag_risks().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.whole.ping().await
    }

    fn patience(&self) -> Duration {
        self.whole.patience()
    }

    fn listen(&self, listener: Arc<dyn EventListener>) {
        self.whole.listen(listener);
    }

    async fn close(&self) {
        self.whole.close().await;
    }
}

/// Returns the index of a tag, in a store without a prefix.
fn index(tag: &Tag) -> String {
    format!("mrc:t:{{{}}}", sha1_hash(&format!("0:{}", tag.as_str())))
}

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

fn failed(error: Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}
