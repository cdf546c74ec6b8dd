//! A found value that isn't the call's: it is removed, or stays for callers that can read it.

use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key};
use mrc_store::StoreError;

use super::Pipeline;
use super::bypass::Others;
use super::check::Wrong;
use crate::answer::Answer;
use crate::call::Call;
use crate::codec::Unfit;
use crate::compute::Compute;
use crate::error::Error;
use crate::frame;
use crate::mode::Mode;

impl Pipeline {
    /// Returns the answer for a caller that couldn't decode a value which wasn't computed for it.
    ///
    /// A text that is no JSON document is removed, and the value is recomputed and stored. A whole
    /// document of another type stays for callers that can read it. This call then bypasses the
    /// cache.
    pub(crate) async fn instead<C: Compute>(
        self: &Arc<Self>,
        key: &Key,
        call: &Call,
        unfit: &Unfit,
        compute: C,
    ) -> Result<Answer, Error> {
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
        let others = if call.rows { Others::Together } else { Others::Apart };
        let bypass = self.bypass(name, call, &why, others, compute);
        let answer = Box::pin(self.in_time(name, call, call.ends(), bypass)).await?;
        frame::inherit(answer.tags());
        Ok(answer)
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
