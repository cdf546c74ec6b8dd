//! The one check of a value that was found: a hit's, a claim's, a stale copy's, a leader's. Nothing reaches a caller without it.

use std::sync::Arc;

use bytes::Bytes;
use mrc_core::Mark;
use mrc_core::{Bypass, Key};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};

use crate::answer::Answer;
use crate::call::{Call, Compute};
use crate::codec::Unfit;
use crate::error::Error;
use crate::fetch::Pipeline;
use crate::scope::{self, Mode};

/// Why bytes that were found under a key aren't this call's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    /// The entry of other params, whose types are others: as good as no entry.
    #[error("its params had other types")]
    OtherTypes,
    #[error("it has {bytes} bytes, and the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("it is no JSON array, or only a part of one")]
    NotRows,
}

impl Pipeline {
    /// The value of this call, from the bytes that a store had under its key.
    ///
    /// The check looks at the ends alone: only a decoder can tell what lies between them.
    pub(crate) fn value_of(&self, mut found: Bytes, call: &Call) -> Result<Bytes, Wrong> {
        let bare = call.without_mark(&found).ok_or(Wrong::OtherTypes)?.len();
        found.truncate(bare);
        if found.len() > self.max_value {
            return Err(Wrong::TooLarge { bytes: found.len(), limit: self.max_value });
        }
        call.accepts(&found)?;
        Ok(found)
    }

    /// The answer for a caller that could not decode the one it got, which wasn't computed for it.
    ///
    /// A text that is no JSON document is removed, and the value is computed anew and stored. A whole document of another type stays for
    /// those who can read it; this caller's value is computed without the cache.
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
        let answer = if call.rows {
            // Queries for one key are alike: their callers share one.
            Box::pin(self.in_time(name, call, call.ends(), self.detour(name, call, &why, compute))).await?
        } else {
            // A function has a type of its own, and another's value may be of its own too.
            Box::pin(self.in_time(name, call, call.ends(), self.bypass(name, call, &why, compute))).await?
        };
        scope::inherit(answer.tags());
        Ok(answer)
    }
}

/// The types that didn't fit, so that each is logged once and not at each call. The place is of names and numbers; a map's keys are names.
#[derive(Debug)]
pub(crate) struct WrongTypes {
    told: Cache<u64, ()>,
    hasher: DefaultHashBuilder,
}

impl WrongTypes {
    /// How many are remembered.
    const MOST: u64 = 1_000;

    pub(crate) fn new() -> Self {
        Self { told: Cache::with_weighter(10, Self::MOST, UnitWeighter), hasher: DefaultHashBuilder::default() }
    }

    fn tell(&self, asked_for: &'static str, at: &str, why: Option<&str>) {
        let known = self.hasher.hash_one((asked_for, at));
        if self.told.get(&known).is_none() {
            self.told.insert(known, ());
            tracing::warn!(
                target: "mrc",
                asked_for,
                at,
                why,
                "values in the cache are of another type than this caller asks for: they stay, and the caller goes without the cache"
            );
        }
    }
}

impl Call {
    /// The value of an entry with the mark of this call's types, or without one where there is no doubt.
    fn without_mark<'a>(&self, found: &'a [u8]) -> Option<&'a [u8]> {
        let ours = self.mark.strip(found);
        // The order matters: a call of this process shows its types before it stores an entry.
        ours.or_else(|| self.types.as_ref().filter(|types| types.are_one()).and_then(|_| Mark::default().strip(found)))
    }

    /// Whether a value can be one of this call. A leader's is checked by this alone: its own caller gets it at any size.
    pub(crate) fn accepts(&self, value: &[u8]) -> Result<(), Wrong> {
        if self.rows && !matches!(value, [b'[', .., b']']) {
            return Err(Wrong::NotRows);
        }
        Ok(())
    }
}
