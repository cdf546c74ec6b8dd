//! The registry of schemes.
//!
//! | key | content |
//! |---|---|
//! | `mrc:w:{number}` | a hash: a scheme's tag → its registration; it lies in the slot of the clock |

use std::time::Duration;

use async_trait::async_trait;
use mrc_core::depends::SchemeName;

use super::bookkeeping;
use super::client::Value;
use super::failure::unexpected;
use super::scripts::{REGISTER, REGISTERED, SCHEMES};
use super::store::RedisStore;
use super::wire::{micros, millis};
use crate::error::StoreError;
use crate::schemes::{self, MOST_SCHEMES, Registry, Schemes};
use crate::store::LONGEST;
use crate::tags::{Moment, Tags};

#[async_trait]
impl Schemes for RedisStore {
    async fn register(&self, schemes: &[SchemeName]) -> Result<Vec<SchemeName>, StoreError> {
        if schemes.is_empty() {
            return Ok(Vec::new());
        }
        let prefix = &self.config.prefix;
        let most = Value::Integer(MOST_SCHEMES.try_into().unwrap_or(i64::MAX));
        let names = schemes.iter().flat_map(|scheme| [scheme.tag.as_str().into(), (&*scheme.text).into()]);
        let args: Vec<Value> = [millis(schemes::REGISTERED).into(), most].into_iter().chain(names).collect();
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
    /// Returns whether the schemes among the tags have been registered since before their moments,
    /// and keeps them registered while the entry lives.
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
