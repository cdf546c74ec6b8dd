//! Values that are read and stored without a computation.

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key};
use mrc_store::{Claim, ClaimMode, StoreError};

use super::Pipeline;
use crate::answer::Answer;
use crate::call::Call;
use crate::compute::Made;
use crate::error::Error;
use crate::frame::{self, Said};
use crate::mode::Mode;

/// The number of attempts to take a key from another claimant.
const ATTEMPTS: usize = 3;

impl Pipeline {
    /// Returns the value of `key`. Returns `None` if the cache doesn't have it.
    pub(crate) async fn peek(&self, key: &Key, call: &Call) -> Result<Option<Answer>, Error> {
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
    pub(crate) async fn put(&self, key: &Key, call: &Call, value: Bytes) -> Result<bool, Error> {
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
}
