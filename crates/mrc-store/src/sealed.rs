//! The type behind a `dyn CacheStore`, for this crate alone.

use std::any::Any;
use std::sync::Arc;

/// The proof that the caller is of this crate, since nobody else can make one.
#[derive(Debug)]
pub struct Ours(());

#[cfg(feature = "redis")]
impl Ours {
    pub(crate) const PROOF: Self = Self(());
}

/// Every type has this trait. No store implements it by hand.
pub trait Typed {
    #[doc(hidden)]
    fn into_any(self: Arc<Self>, _: Ours) -> Arc<dyn Any + Send + Sync>;
}

impl<T: Any + Send + Sync> Typed for T {
    fn into_any(self: Arc<Self>, _: Ours) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
