//! What a call asks for: how long its value lives, and what may be done to answer in time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mrc_core::{Params, Ttl};
use mrc_store::Life;

use crate::client::Inner;
use crate::error::Error;

/// The settings that a caller may choose for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    /// No call takes longer.
    pub(crate) deadline: Duration,
    /// How long a copy of a value outlives it, for when the database fails. Zero: there is none.
    pub(crate) stale: Duration,
    /// After so long the copy is good enough.
    pub(crate) stale_after: Duration,
    /// The last part of a value's life, in which it is computed anew. Zero: it isn't.
    pub(crate) early_refresh: Duration,
}

impl Options {
    /// Within what can be added to any instant: a century.
    pub(crate) fn bounded(mut self) -> Self {
        const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
        self.deadline = self.deadline.min(LONGEST);
        self.stale_after = self.stale_after.min(LONGEST);
        self
    }
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// One that a life can be drawn from.
    pub(crate) ttl: Ttl,
    pub(crate) jitter: f64,
    pub(crate) options: Options,
    /// Whether the value is an array of rows.
    pub(crate) rows: bool,
}

impl Call {
    /// The life of a value that is stored now: a hit needs none.
    pub(crate) fn life(&self) -> Life {
        let ttl = self.ttl.jittered(self.jitter, &mut rand::rng()).unwrap_or(self.ttl.base());
        Life { ttl, stale: self.options.stale }
    }

    pub(crate) fn has_copy(&self) -> bool {
        !self.options.stale.is_zero()
    }
}

/// What computes the value of a call.
pub(crate) trait Compute {
    fn run(self) -> impl Future<Output = Result<Bytes, Error>>;

    /// The same by itself, for a task that goes on when the caller has gone. None: it borrows from its caller.
    fn detached(&self) -> Option<BoxFuture<'static, Result<Bytes, Error>>>;
}

/// A query reads the database.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    pub(crate) client: &'a Arc<Inner>,
    pub(crate) sql: &'a str,
    pub(crate) params: &'a Params,
}

impl Compute for Read<'_> {
    fn run(self) -> impl Future<Output = Result<Bytes, Error>> {
        self.client.read(self.sql, self.params)
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Bytes, Error>>> {
        let (client, sql, params) = (Arc::clone(self.client), self.sql.to_owned(), self.params.clone());
        Some(Box::pin(async move { client.read(&sql, &params).await }))
    }
}

/// A caller's function is run where its caller is.
pub(crate) struct Run<F>(pub(crate) F);

impl<F: Future<Output = Result<Bytes, Error>>> Compute for Run<F> {
    fn run(self) -> impl Future<Output = Result<Bytes, Error>> {
        self.0
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Bytes, Error>>> {
        None
    }
}
