//! The configuration of a cache as a struct, and from the environment.

use std::time::Duration;

use mrc_core::Ttl;
use mrc_store::{Bound, Policy};

use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::settings::{OnError, Settings, Vars, wrong};

/// The settings of a [`Cache`](crate::Cache). Unset fields keep their defaults. Later setters of
/// the builder override them.
///
/// ```
/// # use mrc_store::MemoryStore;
/// use mrc_client::{Cache, CacheConfig};
///
/// let mut config = CacheConfig::from_env()?;
/// config.namespace = "shop".into();
/// let cache = Cache::builder(MemoryStore::new()).config(config).ttl(60).build()?;
/// # Ok::<(), mrc_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CacheConfig {
    /// The prefix of all keys. No default: it must be set.
    pub namespace: String,
    /// The TTL of entries without their own. Default: 5 minutes.
    pub ttl: Ttl,
    /// The maximum number of entries, and the policy that evicts. Default: no bound.
    pub bound: Option<Bound>,
    /// The codec of values. Default: JSON.
    pub codec: Codec,
    /// The reaction to a failure of the cache. Default: the call bypasses the cache.
    pub on_error: OnError,
    /// Whether the cache is used at all. Default: true.
    pub enabled: bool,
    /// The settings that a client has too.
    pub settings: Settings,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            ttl: Ttl::from(Duration::from_secs(300)),
            bound: None,
            codec: Codec::default(),
            on_error: OnError::default(),
            enabled: true,
            settings: Settings::default(),
        }
    }
}

impl CacheConfig {
    /// Returns the settings of the environment, with the defaults for all others:
    ///
    /// | variable | setting |
    /// |---|---|
    /// | `MRC_CACHE_NAMESPACE` | [`namespace`](Self::namespace) |
    /// | `MRC_CACHE_TTL_MS` | [`ttl`](Self::ttl), in milliseconds |
    /// | `MRC_CACHE_POLICY` | the policy of [`bound`](Self::bound): `lru`, `lru_t`, `mru`, `fifo`, `fifo_t`, `lfu` or `rr`. Default with `MRC_CACHE_MAX`: `lru_t` |
    /// | `MRC_CACHE_MAX` | the maximum number of entries of [`bound`](Self::bound). Default with `MRC_CACHE_POLICY`: 1,024 |
    /// | `MRC_CACHE_CODEC` | [`codec`](Self::codec): `json`, `msgpack` or `cbor` |
    /// | `MRC_CACHE_ON_ERROR` | [`on_error`](Self::on_error): `degrade` or `fail` |
    /// | `MRC_CACHE_ENABLED` | [`enabled`](Self::enabled): `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off` |
    /// | `MRC_JITTER`, `MRC_LEASE_MS`, … | [`settings`](Self::settings), as for [`MrcConfig`](crate::MrcConfig::from_env) |
    ///
    /// # Errors
    /// [`Error::Config`]: a variable can't be used. The error names it.
    pub fn from_env() -> Result<Self> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut config = Self::default();
        let vars = Vars(&var);
        if let Some(namespace) = var("MRC_CACHE_NAMESPACE") {
            config.namespace = namespace;
        }
        let codecs = "json, or msgpack or cbor where mrc was built with that feature";
        vars.parsed("MRC_CACHE_CODEC", codecs, &mut config.codec)?;
        let (mut policy, mut max) = (Policy::LruT, 1_024);
        vars.parsed("MRC_CACHE_POLICY", &Policy::ALL.map(Policy::name).join(", "), &mut policy)?;
        vars.parsed("MRC_CACHE_MAX", "how many entries there are at most", &mut max)?;
        if ["MRC_CACHE_POLICY", "MRC_CACHE_MAX"].iter().any(|name| var(name).is_some()) {
            config.bound = Some(Bound::new(policy).max(max));
        }
        let mut ttl = config.ttl.base();
        vars.millis("MRC_CACHE_TTL_MS", &mut ttl)?;
        config.ttl = ttl.into();
        vars.parsed("MRC_CACHE_ON_ERROR", "degrade or fail", &mut config.on_error)?;
        config.settings.read(&vars)?;
        if let Some(value) = var("MRC_CACHE_ENABLED") {
            config.enabled = match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => true,
                "false" | "0" | "no" | "off" => false,
                _ => return Err(wrong("MRC_CACHE_ENABLED", &value, "true or false")),
            };
        }
        Ok(config)
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::Config(reason.into()));
        if self.namespace.is_empty() {
            let reason =
                "a cache needs a namespace, or it would share its entries with others: give it `.namespace(\"…\")`";
            return refuse(reason);
        }
        if self.namespace.contains([':', '{', '}']) {
            let reason = "a namespace has no colon, which ends it, and no braces, which choose a node of a Redis cluster: use . or /";
            return refuse(reason);
        }
        if self.namespace == "mrc" {
            let reason = "the namespace `mrc` is reserved: keys that begin with `mrc:` are the cache's own books; choose another";
            return refuse(reason);
        }
        self.settings.check()?;
        if let Some(bound) = &self.bound {
            bound.check()?;
            #[cfg(feature = "compat")]
            if bound.is_shared() && self.codec != Codec::Json {
                return refuse("redis_func_cache is to read the values too: leave the codec at JSON");
            }
            if !self.settings.stale_on_error.is_zero() {
                let reason = "copies for when the function fails would be entries beyond the bound: leave out stale_on_error (a cache of a client has the client's: set it to zero), or the bound";
                return refuse(reason);
            }
        }
        Ok(self.ttl.check(self.settings.jitter)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(vars: &[(&str, &str)]) -> Result<CacheConfig, Error> {
        CacheConfig::from_vars(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_overrides_the_defaults() {
        let behaviour = [("MRC_CACHE_ON_ERROR", "fail"), ("MRC_CACHE_ENABLED", "Off"), ("MRC_CACHE_POLICY", "lfu")];
        let config = from(&[&[("MRC_CACHE_NAMESPACE", "shop"), ("MRC_CACHE_TTL_MS", "1500")], &behaviour[..]].concat());
        let config = config.unwrap();
        assert_eq!((config.namespace.as_str(), config.ttl.base()), ("shop", Duration::from_millis(1500)));
        assert_eq!((config.on_error, config.enabled), (OnError::Fail, false));
        assert_eq!(config.bound, Some(Bound::new(Policy::Lfu)));
        let config = from(&[("MRC_CACHE_MAX", "7")]).unwrap();
        assert_eq!(config.bound, Some(Bound::new(Policy::LruT).max(7)));
        assert_eq!(from(&[]).unwrap(), CacheConfig::default());
    }

    #[test]
    fn a_bound_that_can_not_be_kept_is_refused() {
        let with = |bound: Bound, stale_on_error| {
            let settings = Settings { stale_on_error, ..Settings::default() };
            let config = CacheConfig { namespace: "shop".into(), bound: Some(bound), settings, ..Default::default() };
            config.check().map_err(|error| error.to_string())
        };
        let bound = || Bound::new(Policy::Lfu);
        #[cfg(all(feature = "compat", feature = "cbor"))]
        {
            let bound = Some(bound().func_cache(mrc_store::FuncCache::single()));
            let config = CacheConfig { namespace: "shop".into(), bound, codec: Codec::Cbor, ..Default::default() };
            assert!(config.check().unwrap_err().to_string().contains("JSON"));
        }
        assert!(with(bound(), Duration::ZERO).is_ok());
        assert!(with(bound().max(0), Duration::ZERO).unwrap_err().contains(".max(1_000)"));
        assert!(with(bound(), Duration::from_secs(1)).unwrap_err().contains("stale_on_error"));
    }

    #[test]
    fn a_variable_that_is_wrong_is_named() {
        let names = "MRC_CACHE_POLICY MRC_CACHE_MAX MRC_CACHE_TTL_MS MRC_CACHE_CODEC MRC_CACHE_ON_ERROR MRC_CACHE_ENABLED MRC_JITTER";
        for name in names.split(' ') {
            assert!(from(&[(name, "perhaps")]).unwrap_err().to_string().contains(name), "{name}");
        }
    }
}
