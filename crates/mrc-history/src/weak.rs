//! The protocol without one of its parts, and without any: what the checker must find wrong, or it proves nothing.

use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{KeysInterface, LuaInterface};
use fred::types::{Expiration, Value};
use mrc::{
    CacheStore, Claim, ClaimMode, EventListener, KeyPages, Life, RedisConfig, RedisStore, ScanPattern, StoreError,
    Terms, Token,
};

use crate::Res;
use crate::items::COMMAND_TIMEOUT;

/// The scripts of the product. What is weakened is what it runs, less one part.
const CLAIM: &str = include_str!("../../mrc-store/src/redis/lua/claim.lua");
const FILL: &str = include_str!("../../mrc-store/src/redis/lua/fill.lua");
pub(crate) const RELEASE: &str = include_str!("../../mrc-store/src/redis/lua/release.lua");

/// What the protocol lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lack {
    /// All of it: every claim is granted without asking, and a fill is a plain SET
    #[value(hide = true)]
    Everything,
    /// `fill` stores only while the lease holds the token of its claim
    TokenCheck,
    /// A claim has a token that was never used before. Without it a process has one for all of them
    NewToken,
    /// `fill` stores only if the key still stands. Without it the lease alone counts
    ClaimCheck,
    /// A refresh marks the value that it will replace with a trailing space, and `fill` replaces no other
    RefreshMark,
    /// A follower takes a value only if its fill was accepted, or if it was read after the follower joined
    FollowerRule,
    /// A flight takes no more followers when its fill is sent
    CloseFirst,
    /// The name of a copy contains its key, so that whoever looks for the key finds it
    CopyName,
}

impl Lack {
    pub(crate) const ALL: [Self; 8] = [
        Self::Everything,
        Self::TokenCheck,
        Self::NewToken,
        Self::ClaimCheck,
        Self::RefreshMark,
        Self::FollowerRule,
        Self::CloseFirst,
        Self::CopyName,
    ];

    /// What a run without it is called.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Everything => "naive: a plain SET, as the peers do",
            Self::TokenCheck => "no token check in fill",
            Self::NewToken => "a token used again",
            Self::ClaimCheck => "no look at the key in fill: a lease alone",
            Self::RefreshMark => "no trailing space in a refresh",
            Self::FollowerRule => "followers that take any value",
            Self::CloseFirst => "followers until the flight has landed",
            Self::CopyName => "a copy whose name doesn't tell its key",
        }
    }

    /// The scripts for `claim` and `fill`, as this leaves them.
    pub(crate) fn scripts(self) -> Res<[String; 2]> {
        let (claim, fill): (&[&str], &[&str]) = match self {
            Self::Everything | Self::NewToken | Self::FollowerRule | Self::CloseFirst | Self::CopyName => (&[], &[]),
            Self::TokenCheck => (&[], &["if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end\n"]),
            Self::ClaimCheck => (
                &[],
                &[
                    "if n == 0 and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n",
                    "if n > 0 and redis.call('GETRANGE', KEYS[1], -1, -1) ~= ' ' then return 0 end\n",
                ],
            ),
            Self::RefreshMark => (
                &["\nelseif v:byte(-1) ~= 32 then redis.call('APPEND', KEYS[1], ' ')"],
                &["if n > 0 and redis.call('GETRANGE', KEYS[1], -1, -1) ~= ' ' then return 0 end\n"],
            ),
        };
        Ok([without(CLAIM, claim)?, without(FILL, fill)?])
    }
}

/// The script less these parts, each of which must be there once.
fn without(script: &str, parts: &[&str]) -> Res<String> {
    parts.iter().try_fold(script.to_owned(), |script, part| match script.split_once(part) {
        Some((before, after)) if !after.contains(part) => Ok(format!("{before}{after}")),
        _ => Err(format!("the product's script has changed: it must hold once {part:?}").into()),
    })
}

/// The scripts of a fill: the product's and the weakened ones.
pub(crate) fn fills() -> Res<Vec<String>> {
    let weak: Res<Vec<String>> = Lack::ALL.into_iter().map(|lack| lack.scripts().map(|[_, fill]| fill)).collect();
    Ok(weak?.into_iter().chain([FILL.to_owned()]).collect())
}

/// A client for what only the checker does.
pub(crate) async fn redis(port: u16, timeout: Duration) -> Res<Client> {
    use fred::interfaces::ClientLike;
    use fred::types::Builder;
    use fred::types::config::{Config, ReconnectPolicy};
    let mut builder = Builder::from_config(Config::from_url(&format!("redis://127.0.0.1:{port}"))?);
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    builder.with_performance_config(|config| config.default_command_timeout = timeout);
    builder.with_connection_config(|config| config.max_command_attempts = 1);
    let mut attempts = 0;
    loop {
        let client = builder.build()?;
        match client.init().await {
            Ok(_) => return Ok(client),
            // The wire has faults from the first command on.
            Err(_) if attempts < 20 => attempts += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The store of a process: the product's, or a weakened one.
pub(crate) async fn store(port: u16, lack: Option<Lack>) -> Res<Arc<dyn CacheStore>> {
    let config = RedisConfig::new("127.0.0.1", port).command_timeout(COMMAND_TIMEOUT);
    let whole = RedisStore::new(config.max_reconnect_delay(Duration::from_millis(20)))?;
    Ok(match lack {
        // What a follower takes is decided in the client.
        None | Some(Lack::FollowerRule | Lack::CloseFirst) => Arc::new(whole),
        Some(lack) => {
            let token = Token::from_bits(rand::random());
            let [claim, fill] = lack.scripts()?;
            Arc::new(Weak { whole, lack, client: redis(port, COMMAND_TIMEOUT).await?, claim, fill, token })
        }
    })
}

/// The store with a part of the protocol left away.
struct Weak {
    whole: RedisStore,
    lack: Lack,
    client: Client,
    claim: String,
    fill: String,
    /// The token of all claims, where it is used again.
    token: Token,
}

impl Weak {
    /// The key, its lease, and perhaps the copy of its value; our keys hold no braces.
    fn keys(&self, key: &str, copy: bool) -> Vec<String> {
        let all = [key.to_owned(), format!("mrc:l:{{{key}}}"), self.copy_key(key)];
        all.into_iter().take(if copy { 3 } else { 2 }).collect()
    }

    fn copy_key(&self, key: &str) -> String {
        match self.lack {
            // The same in every process.
            Lack::CopyName => format!("copy:{:x}", BuildHasherDefault::<DefaultHasher>::default().hash_one(key)),
            _ => format!("mrc:s:{{{key}}}"),
        }
    }

    fn token<'a>(&'a self, given: &'a Token) -> &'a Token {
        if self.lack == Lack::NewToken { &self.token } else { given }
    }
}

impl fmt::Debug for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weak").field("lack", &self.lack).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CacheStore for Weak {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.whole.get(key).await
    }

    async fn stale(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.lack {
            Lack::CopyName => {
                let copy: Option<Bytes> = self.client.get(self.copy_key(key)).await.map_err(failed)?;
                Ok(copy.filter(|value| !value.is_empty()))
            }
            _ => self.whole.stale(key).await,
        }
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        match (self.lack, terms.mode) {
            (Lack::Everything, _) => Ok(Claim::Granted),
            // A fill's claim is the same without the mark.
            (Lack::RefreshMark, ClaimMode::Refresh) | (Lack::CopyName, _) => {
                let refresh = if terms.mode == ClaimMode::Refresh { "1" } else { "0" };
                let args = [token.as_str().to_owned(), millis(terms.lease), refresh.to_owned()];
                let keys = self.keys(key, terms.copy);
                let answer: Value = self.client.eval(&*self.claim, keys, args.to_vec()).await.map_err(failed)?;
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

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        if self.lack == Lack::Everything {
            let ttl = Expiration::PX(life.ttl.as_millis().max(1).try_into().unwrap_or(i64::MAX));
            return self.client.set(key, value, Some(ttl), None, false).await.map(|()| true).map_err(failed);
        }
        if self.lack == Lack::NewToken {
            return self.whole.fill(key, self.token(token), value, life).await;
        }
        let lives = [life.ttl, life.of_copy()].map(|life| Value::from(millis(life)));
        let args: Vec<_> = [Value::from(token.as_str()), Value::Bytes(value)].into_iter().chain(lives).collect();
        let stored: i64 = self.client.eval(&*self.fill, self.keys(key, life.has_copy()), args).await.map_err(failed)?;
        Ok(stored == 1)
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

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        self.whole.scan(pattern)
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

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

fn failed(error: Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weakened_script_is_the_product_less_a_part() {
        for lack in Lack::ALL {
            let [claim, fill] = lack.scripts().unwrap();
            let changed = (claim != CLAIM, fill != FILL);
            let expected = match lack {
                Lack::Everything | Lack::NewToken | Lack::FollowerRule | Lack::CloseFirst | Lack::CopyName => {
                    (false, false)
                }
                Lack::TokenCheck | Lack::ClaimCheck => (false, true),
                Lack::RefreshMark => (true, true),
            };
            assert_eq!(changed, expected, "{lack:?}");
        }
        assert!(without(FILL, &["not in it"]).is_err());
    }
}
