//! The choice of a Redis client.

use crate::error::StoreError;

/// The environment variable that chooses the client.
pub(super) const VARIABLE: &str = "MRC_REDIS_CLIENT";

/// The library that talks to Redis. Both do the same, at different costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisClient {
    /// fred. `MRC_REDIS_CLIENT=fred`.
    #[default]
    Fred,
    /// redis-rs. It needs the feature `redis-rs`. `MRC_REDIS_CLIENT=redis-rs`.
    RedisRs,
}

impl RedisClient {
    /// Returns the chosen client: that of the program, else that of the environment, else fred.
    pub(in crate::redis) fn of(program: Option<Self>) -> Result<Self, StoreError> {
        Self::choose(program, std::env::var(VARIABLE).ok().as_deref())
    }

    fn choose(program: Option<Self>, environment: Option<&str>) -> Result<Self, StoreError> {
        let client = match (program, environment) {
            (Some(client), _) => client,
            (None, None | Some("")) => Self::default(),
            (None, Some("fred")) => Self::Fred,
            (None, Some("redis-rs")) => Self::RedisRs,
            (None, Some(_)) => return Err(StoreError::Config(format!("{VARIABLE} must be `fred` or `redis-rs`"))),
        };
        if client == Self::RedisRs && !cfg!(feature = "redis-rs") {
            return Err(StoreError::Config("the Redis client redis-rs needs mrc's feature `redis-rs`".into()));
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_overrides_the_environment() {
        let choose = |program, environment| RedisClient::choose(program, environment);
        assert_eq!(choose(None, None).unwrap(), RedisClient::Fred);
        assert_eq!(choose(None, Some("")).unwrap(), RedisClient::Fred);
        assert_eq!(choose(None, Some("fred")).unwrap(), RedisClient::Fred);
        assert_eq!(choose(Some(RedisClient::Fred), Some("redis-rs")).unwrap(), RedisClient::Fred);
        assert!(matches!(choose(None, Some("jedis")), Err(StoreError::Config(_))));
        let redis_rs = [choose(None, Some("redis-rs")), choose(Some(RedisClient::RedisRs), Some("fred"))];
        for choice in redis_rs {
            match choice {
                Ok(client) => assert!(client == RedisClient::RedisRs && cfg!(feature = "redis-rs")),
                Err(error) => assert!(error.to_string().contains("`redis-rs`") && cfg!(not(feature = "redis-rs"))),
            }
        }
    }
}
