//! Time to live, with the jitter that keeps entries from expiring together.

use std::time::Duration;

use rand::Rng;

/// The time after which an entry expires, and its jitter.
///
/// ```
/// use std::time::Duration;
/// use mrc_core::Ttl;
/// use rand::{SeedableRng, rngs::SmallRng};
///
/// let ttl = Ttl::from(Duration::from_secs(3600));
/// let lived = ttl.jittered(0.1, &mut SmallRng::seed_from_u64(1))?;
/// assert!((3240..=3960).contains(&lived.as_secs()));
/// assert_eq!(ttl.jitter(0.0).jittered(0.1, &mut SmallRng::seed_from_u64(1))?.as_secs(), 3600);
/// # Ok::<(), mrc_core::TtlError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ttl {
    base: Duration,
    jitter: Option<f64>,
}

/// The TTL can't be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TtlError {
    /// A TTL of less than one millisecond.
    #[error(
        "a TTL of zero stores nothing: give at least one millisecond, or run the query with `query`, which caches nothing"
    )]
    Zero,
    /// A jitter that isn't a fraction from 0 to below 1.
    #[error("a jitter of {0} can't be used: it is a fraction of the TTL, at least 0 and below 1 (0.1 is ±10 %)")]
    Jitter(f64),
}

impl Ttl {
    /// The default TTL: 24 hours, as in both peers.
    pub const DEFAULT: Self = Self { base: Duration::from_secs(86_400), jitter: None };

    /// The default jitter: ±10 %, as in both peers.
    pub const DEFAULT_JITTER: f64 = 0.1;

    /// The longest TTL: a hundred years. Longer ones are cut to it.
    const MOST: Duration = Duration::from_secs(100 * 365 * 86_400);

    /// Sets the jitter of this entry, as a fraction of the TTL: 0.1 is ±10 %, 0 is none. Default:
    /// the cache's setting.
    #[must_use]
    pub fn jitter(self, fraction: f64) -> Self {
        Self { jitter: Some(fraction), ..self }
    }

    /// Returns the TTL before jitter.
    pub fn base(self) -> Duration {
        self.base
    }

    /// Checks that [`jittered`](Self::jittered) can draw a TTL.
    ///
    /// # Errors
    /// [`TtlError`] when the TTL is below 1 ms, or the jitter isn't a fraction from 0 to below 1.
    pub fn check(self, default_jitter: f64) -> Result<(), TtlError> {
        let fraction = self.jitter.unwrap_or(default_jitter);
        if !(0.0..1.0).contains(&fraction) {
            return Err(TtlError::Jitter(fraction));
        }
        if self.base.as_millis() == 0 { Err(TtlError::Zero) } else { Ok(()) }
    }

    /// Draws a TTL as both peers do: `ttl + round(ttl * uniform(-jitter, jitter))`, at least 1.
    ///
    /// A TTL in whole seconds stays in whole seconds; any other is rounded to milliseconds.
    /// `default_jitter` applies if the TTL has no jitter of its own.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn jittered(self, default_jitter: f64, rng: &mut (impl Rng + ?Sized)) -> Result<Duration, TtlError> {
        self.check(default_jitter)?;
        let fraction = self.jitter.unwrap_or(default_jitter);
        let base = self.base.min(Self::MOST);
        let millis = u64::try_from(base.as_millis()).unwrap_or(u64::MAX);
        let (units, unit_millis) = if millis % 1000 == 0 { (millis / 1000, 1000) } else { (millis, 1) };
        let shift = if fraction > 0.0 { (units as f64 * rng.random_range(-fraction..=fraction)).round() } else { 0.0 };
        let lived = units.saturating_add_signed(shift as i64).max(1);
        Ok(Duration::from_millis(lived * unit_millis))
    }
}

impl Default for Ttl {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Duration> for Ttl {
    fn from(base: Duration) -> Self {
        Self { base, jitter: None }
    }
}

impl From<u64> for Ttl {
    /// Makes a TTL of this many seconds.
    fn from(seconds: u64) -> Self {
        Duration::from_secs(seconds).into()
    }
}

impl From<u32> for Ttl {
    /// Makes a TTL of this many seconds.
    fn from(seconds: u32) -> Self {
        u64::from(seconds).into()
    }
}

impl From<i32> for Ttl {
    /// Makes a TTL of this many seconds. A negative number makes zero, which a cache refuses.
    fn from(seconds: i32) -> Self {
        u64::try_from(seconds).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    fn lives(ttl: Ttl, n: usize) -> Vec<Duration> {
        let mut rng = SmallRng::seed_from_u64(7);
        (0..n).map(|_| ttl.jittered(Ttl::DEFAULT_JITTER, &mut rng).unwrap()).collect()
    }

    #[test]
    fn spreads_over_the_whole_range_and_no_further() {
        let secs: Vec<_> = lives(Duration::from_secs(100).into(), 2000).iter().map(Duration::as_secs).collect();
        assert_eq!((secs.iter().min(), secs.iter().max()), (Some(&90), Some(&110)));
    }

    #[test]
    fn whole_seconds_stay_whole_and_short_lives_are_in_milliseconds() {
        assert!(lives(Duration::from_secs(7).into(), 500).iter().all(|ttl| ttl.subsec_millis() == 0));
        assert!(lives(Duration::from_millis(1500).into(), 500).iter().any(|ttl| ttl.subsec_millis() % 100 != 0));
    }

    #[test]
    fn is_never_zero() {
        let ttl = Ttl::from(Duration::from_millis(1)).jitter(0.999);
        assert!(lives(ttl, 2000).iter().all(|ttl| !ttl.is_zero()));
        assert!(lives(Ttl::from(Duration::from_secs(1)).jitter(0.999), 2000).iter().all(|ttl| ttl.as_secs() >= 1));
    }

    #[test]
    fn ttls_that_make_no_sense_are_refused() {
        let mut rng = SmallRng::seed_from_u64(7);
        assert_eq!(Ttl::from(Duration::ZERO).jittered(0.1, &mut rng), Err(TtlError::Zero));
        assert_eq!(Ttl::from(Duration::from_micros(900)).jittered(0.1, &mut rng), Err(TtlError::Zero));
        assert_eq!(Ttl::DEFAULT.jitter(1.0).jittered(0.1, &mut rng), Err(TtlError::Jitter(1.0)));
        assert!(Ttl::DEFAULT.jittered(f64::NAN, &mut rng).is_err());
    }

    #[test]
    fn the_longest_life_is_cut() {
        assert!(lives(Duration::MAX.into(), 100).iter().all(|ttl| ttl.as_secs() < 111 * 365 * 86_400));
    }
}
