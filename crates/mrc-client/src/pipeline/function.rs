//! A caller's function on its way through the cache. What it returns is its caller's, whatever becomes of it in the cache.

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
use crate::error::Error;
use crate::frame;
use crate::source::Source;

/// The value of `key`: from the cache, or else what the function returns. Its error is its caller's own: a caller that waited for another
/// one's function runs its own where that failed, since no error can be shared that may be of any type.
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
    // In a box from when it runs: a hit has no use for it, and functions that call each other would be laid out one inside the other.
    let work = pin!(async move { Box::pin(function()).await });
    let mut function = Function::new(work);
    let tell = |error: &E| Error::function(error.to_string());
    match function.through(pipeline, key, call, codec, tell).await {
        Ok(value) => Ok(value),
        Err(error) => match (function.outcome(), error) {
            (Some(outcome), _) => outcome,
            // It is another caller's error, or another's value that could not be written or read: ours may be better to act on.
            (None, Error::Function(_) | Error::Encode(_) | Error::Decode { .. }) => {
                function.finish_in_time(pipeline, key, call).await?
            }
            (None, error) => Err(error.into()),
        },
    }
}

/// A function that was called, and perhaps not run yet.
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

    /// The value of `key`: from the cache, or from the function. `tell` says what others hear of its error.
    ///
    /// A value is read back from what was written, so that a miss returns what a hit will.
    pub(crate) async fn through(
        &mut self,
        pipeline: &Arc<Pipeline>,
        key: &Key,
        call: &Call,
        codec: Codec,
        tell: impl Fn(&E) -> Error,
    ) -> Result<T, Error> {
        let answer = pipeline.fetch(key, call, Run(self.encoded(codec, &tell))).await?;
        match codec.decode(answer.as_bytes()) {
            Err(unfit) if answer.source() != Source::Computed => {
                let own = Run(self.encoded(codec, &tell));
                let answer = Box::pin(pipeline.instead(key, call, &unfit, own)).await?.noted();
                Ok(codec.decode(answer.as_bytes())?)
            }
            decoded => Ok(decoded?),
        }
    }

    async fn encoded(&mut self, codec: Codec, tell: &impl Fn(&E) -> Error) -> Result<Bytes, Error> {
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

    /// What the function returned, if it has run to its end.
    pub(crate) fn outcome(&mut self) -> Option<Result<T, E>> {
        self.outcome.take().inspect(past_the_pipeline)
    }

    /// The same within the call's deadline.
    async fn finish_in_time(self, pipeline: &Pipeline, key: &Key, call: &Call) -> Result<Result<T, E>, Error> {
        pipeline.in_time(key.as_str(), call, call.ends(), async { Ok(self.finish().await) }).await
    }

    /// What the function returns: it goes on from where it was left.
    pub(crate) async fn finish(self) -> Result<T, E> {
        let outcome = match self.outcome {
            Some(outcome) => outcome,
            None => self.work.await,
        };
        past_the_pipeline(&outcome);
        outcome
    }
}

/// A value that came past the pipeline has told nobody its tags: what is made of it isn't stored.
fn past_the_pipeline<T, E>(outcome: &Result<T, E>) {
    if outcome.is_ok() {
        frame::lose_tags();
        frame::answered(Source::Computed);
    }
}
