//! The settings that a client and a cache share: one struct, one check, one reader of variables.

use std::str::FromStr;
use std::time::Duration;

use mrc_core::{Ttl, TtlError};
use mrc_store::Invalidator;

use crate::error::Error;

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
    pub(crate) fn read<F: Fn(&str) -> Option<String>>(&mut self, vars: &Vars<F>) -> Result<(), Error> {
        vars.parsed("MRC_JITTER", "a fraction such as 0.1", &mut self.jitter)?;
        vars.millis("MRC_LEASE_MS", &mut self.lease)?;
        vars.millis("MRC_WAIT_MAX_MS", &mut self.wait_max)?;
        vars.millis("MRC_DEADLINE_MS", &mut self.deadline)?;
        vars.millis("MRC_STALE_ON_ERROR_MS", &mut self.stale_on_error)?;
        vars.millis("MRC_STALE_AFTER_MS", &mut self.stale_after)?;
        vars.millis("MRC_EARLY_REFRESH_MS", &mut self.early_refresh)?;
        vars.millis("MRC_INVALIDATION_DEADLINE_MS", &mut self.invalidation_deadline)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
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

    fn from_str(name: &str) -> Result<Self, Error> {
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
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str, setting: &mut T) -> Result<(), Error> {
        if let Some(value) = self.0(name) {
            *setting = value.parse().map_err(|_| wrong(name, &value, expected))?;
        }
        Ok(())
    }

    pub(crate) fn millis(&self, name: &str, setting: &mut Duration) -> Result<(), Error> {
        let expected = "a number of milliseconds, such as 1000";
        let mut millis = setting.as_secs_f64() * 1000.0;
        self.parsed(name, expected, &mut millis)?;
        *setting =
            Duration::try_from_secs_f64(millis / 1000.0).map_err(|_| wrong(name, &millis.to_string(), expected))?;
        Ok(())
    }
}

pub(crate) fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::Config(format!("{name} is {value:?}: it must be {expected}"))
}

/// The setters of the shared settings, for a builder with `config.settings` and `events`.
macro_rules! setters {
    () => {
        /// Sets the fraction by which TTLs vary. Default: 0.1, ±10 %, as in both peers.
        pub fn jitter(mut self, fraction: f64) -> Self {
            self.config.settings.jitter = fraction;
            self
        }

        /// Sets how long a claim stands while a value is computed. A value that takes longer isn't
        /// stored. Default: 30 s.
        pub fn lease(mut self, lease: Duration) -> Self {
            self.config.settings.lease = lease;
            self
        }

        /// Sets how long a call waits for another process that computes the value. Then it computes
        /// the value itself. Default: 1 s.
        pub fn wait_max(mut self, wait: Duration) -> Self {
            self.config.settings.wait_max = wait;
            self
        }

        /// Sets how long a call may take as a whole, including its waits for other callers. After
        /// that it ends with [`Error::Deadline`]. Default: 60 s.
        ///
        /// The store's own time-outs limit calls that only touch the cache.
        pub fn deadline(mut self, deadline: Duration) -> Self {
            self.config.settings.deadline = deadline;
            self
        }

        /// Keeps a stale copy of each value for this long beyond its TTL. Default: zero, no copies.
        ///
        /// If the computation fails, or is too slow, the caller gets the copy instead of an error,
        /// marked as [`Source::Stale`](crate::Source::Stale). Every invalidation of an entry, a
        /// peer's included, removes its copy too. Copies double the memory of an entry.
        pub fn stale_on_error(mut self, window: Duration) -> Self {
            self.config.settings.stale_on_error = window;
            self
        }

        /// Recomputes values that are hit in the last part of their TTL, so that values in use
        /// never miss. Default: zero, values expire.
        ///
        /// The probability of a refresh grows from the start of this window to 1 in its last
        /// quarter. One process refreshes, in the background, and the new value gets a whole TTL. A
        /// window longer than half of the TTL counts as that half. A function is computed by one of
        /// its callers, which waits for it. After Vattani, Chierichetti, Lowenstein: *Optimal
        /// Probabilistic Cache Stampede Prevention* (VLDB 2015).
        pub fn early_refresh(mut self, window: Duration) -> Self {
            self.config.settings.early_refresh = window;
            self
        }

        /// Sets the largest value that is stored or taken from the cache, in bytes. A larger value
        /// is computed at each call. Default: 64 MiB.
        pub fn max_value(mut self, bytes: usize) -> Self {
            self.config.settings.max_value = bytes;
            self
        }

        /// Sets how long a failed invalidation is tried again before it returns an error. There is
        /// one attempt if it is zero. Default: 10 s.
        pub fn invalidation_deadline(mut self, deadline: Duration) -> Self {
            self.config.settings.invalidation_deadline = deadline;
            self
        }

        /// Adds a listener for the events of the cache. May be called several times.
        pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
            self.events.0.push(Arc::new(listener));
            self
        }
    };
}
pub(crate) use setters;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        settings.read(&Vars(var))?;
        Ok(settings)
    }

    #[test]
    fn the_environment_overrides_the_defaults() {
        let settings = read(&[("MRC_LEASE_MS", "1500"), ("MRC_JITTER", "0")]).unwrap();
        assert_eq!((settings.lease, settings.jitter), (Duration::from_millis(1500), 0.0));
        assert_eq!(read(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn a_variable_that_is_wrong_is_named() {
        for (name, value) in [("MRC_JITTER", "much"), ("MRC_LEASE_MS", "-5"), ("MRC_DEADLINE_MS", "soon")] {
            assert!(read(&[(name, value)]).unwrap_err().to_string().contains(name), "{name}");
        }
    }
}
