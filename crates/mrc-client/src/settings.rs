//! The settings that a client and a cache share: one struct, one check, one reader of variables.

use std::str::FromStr;
use std::time::Duration;

use mrc_core::{Ttl, TtlError};
use mrc_store::Invalidator;

use crate::error::{Error, Result};

/// The settings that an [`MrcClient`](crate::MrcClient) and a [`Cache`](crate::Cache) share.
///
/// They are a part of [`MrcConfig`](crate::MrcConfig) and [`CacheConfig`](crate::CacheConfig). Each
/// field has a setter of its name in both builders, where it is explained.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The fraction by which TTLs vary. Default: 0.1, ±10 %.
    pub jitter: f64,
    /// The lease: how long a claim stands while a value is computed. Default: 30 s.
    pub lease: Duration,
    /// The longest wait for another process that computes the value. Default: 1 s.
    pub wait_max: Duration,
    /// The limit of a call as a whole. Default: 60 s.
    pub deadline: Duration,
    /// The time that a stale copy outlives its value's TTL. Default: zero, no copies.
    pub stale_on_error: Duration,
    /// The time of a query after which its caller gets the stale copy. Default: 1 s.
    pub stale_after: Duration,
    /// The last part of a TTL, in which a hit may recompute the value. Default: zero, never.
    pub early_refresh: Duration,
    /// The largest value that is stored or taken from the cache, in bytes. Default: 64 MiB.
    pub max_value: usize,
    /// The time for which a failed invalidation is tried again. Default: 10 s.
    pub invalidation_deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jitter: Ttl::DEFAULT_JITTER,
            lease: Duration::from_secs(30),
            wait_max: Duration::from_secs(1),
            deadline: Duration::from_secs(60),
            stale_on_error: Duration::ZERO,
            stale_after: Duration::from_secs(1),
            early_refresh: Duration::ZERO,
            max_value: 64 << 20,
            invalidation_deadline: Invalidator::DEADLINE,
        }
    }
}

impl Settings {
    pub(crate) fn read<F: Fn(&str) -> Option<String>>(&mut self, vars: &Vars<F>) -> Result<()> {
        vars.parsed("MRC_JITTER", "a fraction such as 0.1", &mut self.jitter)?;
        vars.millis("MRC_LEASE_MS", &mut self.lease)?;
        vars.millis("MRC_WAIT_MAX_MS", &mut self.wait_max)?;
        vars.millis("MRC_DEADLINE_MS", &mut self.deadline)?;
        vars.millis("MRC_STALE_ON_ERROR_MS", &mut self.stale_on_error)?;
        vars.millis("MRC_STALE_AFTER_MS", &mut self.stale_after)?;
        vars.millis("MRC_EARLY_REFRESH_MS", &mut self.early_refresh)?;
        vars.millis("MRC_INVALIDATION_DEADLINE_MS", &mut self.invalidation_deadline)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::Config(reason.into()));
        if !(0.0..1.0).contains(&self.jitter) {
            return Err(TtlError::Jitter(self.jitter).into());
        }
        if self.lease < Duration::from_millis(1) {
            return refuse("a lease of zero lets nobody fill: make it as long as the slowest computation");
        }
        if self.deadline.is_zero() {
            return refuse("a deadline of zero lets no call succeed: make it longer");
        }
        if self.max_value == 0 {
            return refuse("a largest value of zero bytes stores nothing: make max_value larger");
        }
        Ok(())
    }
}

/// The reaction of a call to a failure of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnError {
    /// The call bypasses the cache: the value is computed. Default.
    #[default]
    Degrade,
    /// The call ends with [`Error::Store`], and nothing runs. A computed value is still returned.
    Fail,
}

impl FromStr for OnError {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "degrade" => Ok(Self::Degrade),
            "fail" => Ok(Self::Fail),
            _ => Err(Error::Config(format!("{name:?} is no reaction to an error: use degrade or fail"))),
        }
    }
}

/// Variables of any origin. A variable that isn't set leaves its setting as it is.
pub(crate) struct Vars<F>(pub(crate) F);

impl<F: Fn(&str) -> Option<String>> Vars<F> {
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str, setting: &mut T) -> Result<()> {
        if let Some(value) = self.0(name) {
            *setting = value.parse().map_err(|_| wrong(name, &value, expected))?;
        }
        Ok(())
    }

    pub(crate) fn millis(&self, name: &str, setting: &mut Duration) -> Result<()> {
        let expected = "a number of milliseconds, such as 1000";
        let mut millis = setting.as_secs_f64() * 1000.0;
        self.parsed(name, expected, &mut millis)?;
        let duration = Duration::try_from_secs_f64(millis / 1000.0);
        *setting = duration.map_err(|_| wrong(name, &millis.to_string(), expected))?;
        Ok(())
    }
}

pub(crate) fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::Config(format!("{name} is {value:?}: it must be {expected}"))
}

/// Setters of a builder. Each sets the setting of its name.
macro_rules! setters {
    ($self:ident => $settings:expr; $($(#[$doc:meta])* $name:ident($value:ident: $type:ty);)+) => {$(
        $(#[$doc])*
        pub fn $name(mut $self, $value: $type) -> Self {
            $settings.$name = $value;
            $self
        }
    )+};
}
pub(crate) use setters;

/// The setters of the shared settings, for a builder with `config.settings` and `events`.
macro_rules! shared_setters {
    () => {
        $crate::settings::setters! { self => self.config.settings;
            /// Sets the fraction by which TTLs vary. Default: 0.1, ±10 %, as in both peers.
            jitter(fraction: f64);
            /// Sets how long a claim stands while a value is computed. A value that takes longer
            /// isn't stored. Default: 30 s.
            lease(lease: Duration);
            /// Sets how long a call waits for another process that computes the value. Then it
            /// computes the value itself. Default: 1 s.
            wait_max(wait: Duration);
            /// Sets how long a call may take as a whole, including its waits for other callers.
            /// Then it ends with [`Error::Deadline`]. The store's own time-outs limit calls that
            /// only touch the cache. Default: 60 s.
            deadline(deadline: Duration);
            /// Keeps a stale copy of each value for this long beyond its TTL. Default: zero, no
            /// copies.
            ///
            /// If the computation fails, or is too slow, the caller gets the copy, marked as
            /// [`Source::Stale`](crate::Source::Stale). Every invalidation of an entry, a peer's
            /// included, removes its copy too. Copies double the memory of an entry.
            stale_on_error(window: Duration);
            /// Recomputes values that are hit in the last part of their TTL, so that values in use
            /// never miss. Default: zero, values expire.
            ///
            /// The probability of a refresh grows from the start of this window to 1 in its last
            /// quarter. One process refreshes, in the background, and the new value gets a whole
            /// TTL. A window longer than half of the TTL counts as that half. A function is
            /// computed by one of its callers, which waits for it.
            early_refresh(window: Duration);
            /// Sets the largest value that is stored or taken from the cache, in bytes. A larger
            /// value is computed at each call. Default: 64 MiB.
            max_value(bytes: usize);
            /// Sets how long a failed invalidation is tried again before it returns an error. There
            /// is one attempt if it is zero. Default: 10 s.
            invalidation_deadline(deadline: Duration);
        }

        /// Adds a listener for the events of the cache. May be called several times.
        pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
            self.events.0.push(Arc::new(listener));
            self
        }
    };
}
pub(crate) use shared_setters;

macro_rules! with_options {
    () => {
        /// Returns the same with another deadline for each call: see the builder's `deadline`.
        #[must_use]
        pub fn with_deadline(&self, deadline: Duration) -> Self {
            self.with(Options { deadline, ..self.options })
        }

        /// Returns the same with another `stale_on_error` for each call: see the builder.
        #[must_use]
        pub fn with_stale_on_error(&self, window: Duration) -> Self {
            self.with(Options { stale: window, ..self.options })
        }

        /// Returns the same with another `early_refresh` for each call: see the builder.
        #[must_use]
        pub fn with_early_refresh(&self, window: Duration) -> Self {
            self.with(Options { early_refresh: window, ..self.options })
        }

        fn with(&self, options: Options) -> Self {
            Self { options: options.bounded(), ..self.clone() }
        }
    };
}
pub(crate) use with_options;
