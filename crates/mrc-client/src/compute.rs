//! The computation of a call's value.

use std::future::Future;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::answer::Answer;
use crate::error::Result;
use crate::frame::{Frame, Said};
use crate::inherited::StoreId;

#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) value: Bytes,
    pub(crate) said: Said,
}

impl Made {
    /// Returns the answer of a computation that isn't stored.
    pub(crate) fn unstored(self) -> Answer {
        Answer::computed(self.value).tagged(self.said.tags)
    }
}

pub(crate) trait Compute {
    /// Whether the computation may tag its entry while it runs.
    const TAGS: bool;

    fn run(self, store: StoreId, key: &str) -> impl Future<Output = Result<Made>>;

    /// Returns the same for a task that outlives its caller. Returns `None` if it borrows from it.
    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>>;
}

/// A caller's function, which runs in its caller, in the scope of its entry.
pub(crate) struct Run<F>(pub(crate) F);

impl<F: Future<Output = Result<Bytes>>> Compute for Run<F> {
    const TAGS: bool = true;

    async fn run(self, store: StoreId, key: &str) -> Result<Made> {
        let frame = Frame::new(store, [key]);
        let value = frame.run(self.0).await?;
        Ok(Made { value, said: frame.said() })
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        None
    }
}

pub(crate) struct Detached(pub(crate) BoxFuture<'static, Result<Made>>);

impl Compute for Detached {
    const TAGS: bool = false;

    fn run(self, _: StoreId, _: &str) -> impl Future<Output = Result<Made>> {
        self.0
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        None
    }
}
