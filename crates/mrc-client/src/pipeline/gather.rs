//! Gathers what the entries of a batch ask of the store and the source, to send it at once.
//!
//! Each entry of a batch takes the path of a single call, so every rule of single calls holds for
//! it. Only its commands wait here, until every entry has asked for all that it can ask for now.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mrc_store::{CacheStore, Claim, Life, Moment, StoreError, Terms, ToClaim, ToFill, Token, lock};
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::compute::Made;
use crate::error::{Error, Result};

/// The way of a call's commands to the store.
#[derive(Clone)]
pub(crate) enum Way {
    Alone(Arc<dyn CacheStore>),
    Together(Arc<Gather>),
}

impl Way {
    /// Claims the key. `timed`: for an entry with tags, with the time of the store's clock.
    /// Otherwise the time is the clock's beginning.
    pub(super) async fn claim(
        &self,
        key: &str,
        token: &Token,
        terms: Terms,
        timed: bool,
    ) -> Result<(Claim, Moment), StoreError> {
        match self {
            Self::Alone(store) if timed => store.claim_at(key, token, terms).await,
            Self::Alone(store) => store.claim(key, token, terms).await.map(untimed),
            Self::Together(gather) => {
                let claim = |reply| AskedClaim { key: key.into(), token: token.clone(), terms, timed, reply };
                gather.ask(|queue, reply| queue.claims.push(claim(reply))).await.unwrap_or(Err(StoreError::Closed))
            }
        }
    }

    pub(super) async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let Self::Together(gather) = self else { return self.store().fill(key, token, value, life).await };
        let fill = |reply| AskedFill { key: key.into(), token: token.clone(), value, life, reply };
        gather.ask(|queue, reply| queue.fills.push(fill(reply))).await.unwrap_or(Err(StoreError::Closed))
    }

    /// Releases at once: a release may run in the background, after its batch.
    pub(super) async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.store().release(key, token).await
    }

    fn store(&self) -> &Arc<dyn CacheStore> {
        match self {
            Self::Alone(store) => store,
            Self::Together(gather) => &gather.store,
        }
    }
}

/// The requests of a batch that wait to be sent, and its answers.
pub(crate) struct Gather {
    store: Arc<dyn CacheStore>,
    queue: Mutex<Queue>,
    answers: Mutex<Answers>,
    /// Whether the batch goes on after each of its entries has an answer.
    pub(crate) goes_on: bool,
}

/// The calls that wait to be sent.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) claims: Vec<AskedClaim>,
    pub(super) fills: Vec<AskedFill>,
    pub(super) reads: Vec<AskedRead>,
}

pub(super) struct AskedClaim {
    key: Box<str>,
    token: Token,
    terms: Terms,
    timed: bool,
    reply: oneshot::Sender<Result<(Claim, Moment), StoreError>>,
}

pub(super) struct AskedFill {
    key: Box<str>,
    token: Token,
    value: Bytes,
    life: Life,
    reply: oneshot::Sender<Result<bool, StoreError>>,
}

/// A value to be read from the source: its place in the batch, and its reader.
pub(super) type AskedRead = (usize, oneshot::Sender<Result<Made>>);

struct Answers {
    by_place: Vec<Option<Result<Answer>>>,
    missing: usize,
    all_there: Option<oneshot::Sender<()>>,
}

impl Gather {
    /// Returns the gatherer of a batch with the answers so far, and the sign that none is missing.
    pub(super) fn new(
        store: &Arc<dyn CacheStore>,
        by_place: Vec<Option<Result<Answer>>>,
        goes_on: bool,
    ) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (all_there, sign) = oneshot::channel();
        let missing = by_place.iter().filter(|answer| answer.is_none()).count();
        let answers = Answers { by_place, missing, all_there: Some(all_there) };
        let gather = Self { store: Arc::clone(store), queue: Mutex::default(), answers: Mutex::new(answers), goes_on };
        (Arc::new(gather), sign)
    }

    /// Has the value at this place read from the source.
    pub(crate) async fn read(&self, at: usize) -> Result<Made> {
        self.ask(|queue, reply| queue.reads.push((at, reply))).await.unwrap_or(Err(Error::Shutdown))
    }

    /// Returns `None` if the batch has ended without a reply.
    async fn ask<T>(&self, push: impl FnOnce(&mut Queue, oneshot::Sender<T>)) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        push(&mut lock(&self.queue), reply);
        answer.await.ok()
    }

    pub(super) fn take(&self) -> Queue {
        std::mem::take(&mut lock(&self.queue))
    }

    /// Answers the entry at this place, unless it has its answer.
    pub(crate) fn answer(&self, at: usize, outcome: Result<Answer>) {
        let mut answers = lock(&self.answers);
        let Some(place @ None) = answers.by_place.get_mut(at) else { return };
        *place = Some(outcome);
        answers.missing -= 1;
        if answers.missing == 0
            && let Some(all_there) = answers.all_there.take()
        {
            // A caller that has left needs no sign.
            let _ = all_there.send(());
        }
    }

    /// Takes the answers, in the order of the entries.
    pub(crate) fn answers(&self) -> Vec<Result<Answer>> {
        let answers = std::mem::take(&mut lock(&self.answers).by_place);
        answers.into_iter().map(|answer| answer.unwrap_or(Err(Error::Shutdown))).collect()
    }

    pub(super) async fn claim(&self, claims: Vec<AskedClaim>) {
        let all: Vec<ToClaim<'_>> =
            claims.iter().map(|one| ToClaim { key: &one.key, token: &one.token, terms: one.terms }).collect();
        let answers = if claims.iter().any(|one| one.timed) {
            self.store.claim_many_at(&all).await
        } else {
            self.store.claim_many(&all).await.into_iter().map(|claim| claim.map(untimed)).collect()
        };
        for (claim, answer) in claims.into_iter().zip(answers) {
            // An entry that has ended meanwhile releases its claim itself.
            let _ = claim.reply.send(answer);
        }
    }

    pub(super) async fn fill(&self, fills: Vec<AskedFill>) {
        let all = fills.iter().map(|AskedFill { key, token, value, life, .. }| ToFill {
            key,
            token,
            value: value.clone(),
            life: life.clone(),
        });
        let answers = self.store.fill_many(all.collect()).await;
        for (fill, answer) in fills.into_iter().zip(answers) {
            let _ = fill.reply.send(answer);
        }
    }
}

fn untimed(claim: Claim) -> (Claim, Moment) {
    (claim, Moment::default())
}
