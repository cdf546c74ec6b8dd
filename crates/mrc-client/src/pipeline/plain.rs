//! Values that are read and stored without a computation, and found values that aren't the call's:
//! such a value is removed, or stays for callers that can read it.

use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key};
use mrc_store::{Claim, ClaimMode, StoreError};

use super::check::Wrong;
use super::{Pipeline, inherit};
use crate::answer::Answer;
use crate::call::Call;
use crate::codec::Unfit;
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::frame::{self, Said};
use crate::mode::Mode;
use crate::source::Source;

/// The number of attempts to take a key from another claimant.
const ATTEMPTS: usize = 3;

impl Pipeline {
    /// Returns the value of `key`. Returns `None` if the cache doesn't have it.
    pub(crate) async fn peek(&self, key: &Key, call: &Call) -> Result<Option<Answer>> {
        if matches!(call.mode, Mode::Off | Mode::Refresh) {
            return Ok(None);
        }
        let key = key.as_str();
        let answer = match self.look(key, call).await {
            Err(error) => {
                self.store_failed(key, call, "get", error)?;
                None
            }
            Ok(answer) => answer,
        };
        match &answer {
            Some(answer) => {
                self.hit(key, answer, call.began);
                frame::inherit(answer.tags());
                frame::answered(answer.source());
            }
            None => self.events.emit(&Event::Miss { key }),
        }
        Ok(answer)
    }

    /// Stores a value that its caller vouches for. Returns `false` if it wasn't stored.
    pub(crate) async fn put(&self, key: &Key, call: &Call, value: Bytes) -> Result<bool> {
        let key = key.as_str();
        if !call.mode.stores() {
            self.events.emit(&Event::Bypassed { key, why: Bypass::Mode });
            return Ok(false);
        }
        if value.len() > self.max_value {
            let why = Bypass::TooLarge { bytes: value.len(), limit: self.max_value };
            self.events.emit(&Event::Bypassed { key, why });
            return Ok(false);
        }
        let stored = if call.tags.is_empty() && call.follows.is_none() {
            self.put_plain(key, call, value).await
        } else {
            self.put_tagged(key, call, value).await
        };
        stored.or_else(|error| self.store_failed(key, call, "put", error).map(|()| false))
    }

    async fn put_plain(&self, key: &str, call: &Call, value: Bytes) -> Result<bool, StoreError> {
        let life = call.life(&Said::default(), Default::default());
        let bytes = value.len();
        self.store.shared().put(key, call.mark.put_behind(value), life.ttl).await?;
        self.events.emit(&Event::Filled { key, ttl: life.ttl, bytes, tags: &[] });
        Ok(true)
    }

    /// Stores a value with tags by the protocol, so that an invalidation meanwhile refuses it.
    async fn put_tagged(&self, key: &str, call: &Call, value: Bytes) -> Result<bool, StoreError> {
        let asks = self.asks(key, call, ClaimMode::Refresh, true).await;
        for _ in 0..ATTEMPTS {
            let (claimed, claim) = self.claims.try_claim(&self.way(call), key, &asks).await;
            if let Claim::Granted = claimed? {
                let said = Said { tags: self.tags_of(key, call).await, ..Said::default() };
                return Ok(self.fill(key, call, claim, Made { value, said }).await.1);
            }
            claim.forget();
            // Removing the key refuses the other claimant's fill.
            self.store.shared().remove(&[Bytes::copy_from_slice(key.as_bytes())]).await?;
        }
        self.events.emit(&Event::Refused { key });
        Ok(false)
    }

    /// Returns the answer for a caller that couldn't decode a value which wasn't computed for it.
    ///
    /// A text that is no JSON document is removed, and the value is recomputed and stored. A whole
    /// document of another type stays for callers that can read it. This call then bypasses the
    /// cache.
    async fn instead<C: Compute>(
        self: &Arc<Self>,
        key: &Key,
        call: &Call,
        unfit: &Unfit,
        compute: C,
    ) -> Result<Answer> {
        let name = key.as_str();
        let said = match unfit {
            Unfit::Garbage(error) | Unfit::WrongType { error, .. } => error.to_string(),
        };
        let failed;
        let why = match unfit {
            Unfit::Garbage(_) => match self.discard(name, call.mode, &said).await {
                Ok(()) if call.mode.stores() => return Box::pin(self.fetch(key, call, compute)).await,
                Ok(()) => Bypass::Mode,
                Err(error) => {
                    failed = error.to_string();
                    Bypass::StoreFailed { command: "remove", error: &failed }
                }
            },
            Unfit::WrongType { asked_for, at, why, .. } => {
                self.wrong_types.tell(asked_for, at, why.as_deref());
                Bypass::WrongType { asked_for, at, error: &said }
            }
        };
        if call.mode == Mode::ReadOnly {
            return Err(Error::Missed { key: name.to_owned() });
        }
        // Queries for one key are alike: callers share one. Functions have their own types.
        let bypass = async {
            match call.rows {
                true => self.bypass_together(name, call, &why, compute).await,
                false => self.bypass(name, call, &why, compute).await,
            }
        };
        let outcome = Box::pin(self.in_time(name, call, call.ends(), bypass)).await;
        inherit(call, &outcome);
        outcome
    }

    /// Decodes an answer. If it can't be decoded, and wasn't computed for this caller, another one
    /// replaces it: see [`instead`](Self::instead).
    pub(crate) async fn decoded<T, C: Compute>(
        self: &Arc<Self>,
        key: &Key,
        call: &Call,
        answer: Answer,
        decode: impl Fn(&[u8]) -> Result<T, Unfit>,
        compute: impl FnOnce() -> C,
    ) -> Result<T> {
        match decode(answer.as_bytes()) {
            Err(unfit) if answer.source() != Source::Computed => {
                let answer = Box::pin(self.instead(key, call, &unfit, compute())).await?.noted();
                Ok(decode(answer.as_bytes())?)
            }
            decoded => Ok(decoded?),
        }
    }

    /// Removes an unusable value, with its claim and its stale copy, unless the mode only reads.
    pub(crate) async fn discard(&self, key: &str, mode: Mode, wrong: &str) -> Result<(), StoreError> {
        self.events.emit(&Event::BadValue { key, error: wrong });
        self.remove(key, mode).await
    }

    /// Removes a value that isn't the call's. A value of other types isn't reported as bad.
    pub(super) async fn reject(&self, key: &str, mode: Mode, wrong: &Wrong) -> Result<(), StoreError> {
        match wrong {
            Wrong::OtherTypes => self.remove(key, mode).await,
            wrong => self.discard(key, mode, &wrong.to_string()).await,
        }
    }

    async fn remove(&self, key: &str, mode: Mode) -> Result<(), StoreError> {
        if !mode.stores() {
            return Ok(());
        }
        self.store.shared().remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.map(drop)
    }
}
