//! The bookkeeping of followers.
//!
//! | key | content |
//! |---|---|
//! | `mrc:f:{name}` | a hash: `position`, and `at`, the time of its writing in ms |
//! | `mrc:f:{name}:l` | the token of the follower that has the lease |

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::types::Value;

use super::bookkeeping;
use super::failure::unexpected;
use super::scripts::{ADVANCE, CHECKPOINT, END_LEASE, LEASE};
use super::store::RedisStore;
use super::wire::millis;
use crate::checkpoint::{Advance, Checkpoint, Checkpoints, Lease, POSITION_KEPT};
use crate::error::StoreError;
use crate::store::Token;

#[async_trait]
impl Checkpoints for RedisStore {
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError> {
        let answer = self.run(&CHECKPOINT, &self.follower_keys(name), &[]).await?.into_array();
        let [position, age, leader] = answer.as_slice() else { return Ok(None) };
        Ok(Some(Checkpoint {
            position: position.as_string().ok_or_else(|| unexpected("the position can't be read"))?,
            age: Duration::from_millis(age.as_u64().unwrap_or_default()),
            leader: leader.as_string().filter(|leader| !leader.is_empty()),
        }))
    }

    async fn advance(&self, name: &str, owner: &Token, from: Option<&str>, to: &str) -> Result<Advance, StoreError> {
        let kept = Value::Integer(millis(POSITION_KEPT));
        let args = [owner.as_str().into(), from.unwrap_or_default().into(), to.into(), kept];
        match self.run(&ADVANCE, &self.follower_keys(name), &args).await? {
            Value::Integer(1) => Ok(Advance::Done),
            Value::Integer(_) => Ok(Advance::NoLease),
            other => Ok(Advance::Differs(other.as_string().filter(|position| !position.is_empty()))),
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

impl RedisStore {
    fn follower_keys(&self, name: &str) -> [Bytes; 2] {
        bookkeeping::follower_keys(&self.config.prefix, name)
    }
}
