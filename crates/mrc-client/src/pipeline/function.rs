//! A caller's function on its way through the cache. Its caller gets its result in any case.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::Bytes;
use mrc_core::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pipeline;
use crate::call::Call;
use crate::codec::Codec;
use crate::compute::Run;
use crate::error::{Error, Result};
use crate::frame;
use crate::source::Source;

/// Returns the value of `key`, from the cache or from the function. Errors of any type can't be
/// shared: a caller that waited for a function that failed runs its own.
pub(crate) async fn get_or_try<T, E, F, Fut>(
    pipeline: &Arc<Pipeline>,
    key: &Key,
    call: &Call,
    codec: Codec,
    function: F,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: From<Error> + fmt::Display,
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    // Boxed only when it runs: a hit needs no box, and functions that call each other would nest.
    let work = pin!(async move { Box::pin(function()).await });
    let mut function = Function::new(work);
    let tell = |error: &E| Error::function(error.to_string());
    match function.through(pipeline, key, call, codec, tell).await {
        Ok(value) => Ok(value),
        Err(error) => match (function.outcome(), error) {
            (Some(outcome), _) => outcome,
            // The error is another caller's, or its value's: our own outcome may be better.
            (None, Error::Function(_) | Error::Encode(_) | Error::Decode { .. }) => {
                let finished = async { Ok(function.finish().await) };
                pipeline.in_time(key.as_str(), call, call.ends(), finished).await?
            }
            (None, error) => Err(error.into()),
        },
    }
}

/// A function that was called, but may not have run yet.
pub(crate) struct Function<'a, T, E, W> {
    work: Pin<&'a mut W>,
    outcome: Option<Result<T, E>>,
}

impl<'a, T, E, W> Function<'a, T, E, W>
where
    T: Serialize + DeserializeOwned,
    W: Future<Output = Result<T, E>>,
{
    pub(crate) fn new(work: Pin<&'a mut W>) -> Self {
        Self { work, outcome: None }
    }

    /// Returns the value of `key`, from the cache or the function. `tell` makes the error for other
    /// callers.
    ///
    /// The value is read back from its written form, so that a miss returns the same as a hit.
    pub(crate) async fn through(
        &mut self,
        pipeline: &Arc<Pipeline>,
        key: &Key,
        call: &Call,
        codec: Codec,
        tell: impl Fn(&E) -> Error,
    ) -> Result<T> {
        let answer = pipeline.fetch(key, call, Run(self.encoded(codec, &tell))).await?;
        let decode = |value: &[u8]| codec.decode(value);
        pipeline.decoded(key, call, answer, decode, || Run(self.encoded(codec, &tell))).await
    }

    async fn encoded(&mut self, codec: Codec, tell: &impl Fn(&E) -> Error) -> Result<Bytes> {
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            None => self.work.as_mut().await,
        };
        let encoded = match &outcome {
            Ok(value) => codec.encode(value),
            Err(error) => Err(tell(error)),
        };
        self.outcome = Some(outcome);
        encoded
    }

    /// Returns the function's outcome. Returns `None` if it hasn't run to its end.
    pub(crate) fn outcome(&mut self) -> Option<Result<T, E>> {
        // Of a function that failed the pipeline has handed on the tags.
        self.outcome.take().inspect(|outcome| {
            if outcome.is_ok() {
                past_the_pipeline();
            }
        })
    }

    /// Runs the function to its end, from where it was left, and returns its outcome.
    pub(crate) async fn finish(self) -> Result<T, E> {
        let outcome = match self.outcome {
            Some(outcome) => outcome,
            None => self.work.await,
        };
        past_the_pipeline();
        outcome
    }
}

/// An outcome that bypassed the pipeline has unknown tags: no entry that reads it is stored.
fn past_the_pipeline() {
    frame::lose_tags();
    frame::answered(Source::Computed);
}
