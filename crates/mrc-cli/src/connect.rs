//! Builds clients and stores from URLs.

use std::time::Duration;

use mrc::config::{MrcClientBuilder, MrcConfig, MySqlConfig, RedisConfig};
use mrc::store::{MySqlExecutor, RedisStore};
use mrc::{Event, MrcClient, MrcServer};

use crate::args::Global;
use crate::error::Failure;
use crate::output::Output;

/// The time that a command waits for its connections to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Returns a builder with the settings of the environment, but without URLs and follower.
pub(crate) fn builder() -> Result<MrcClientBuilder, Failure> {
    // These come from flags, which read the environment too.
    let mut config = MrcConfig::from_env()?;
    (config.mysql, config.redis, config.follow) = (None, None, None);
    Ok(MrcClientBuilder::from(config))
}

/// Returns the store of `--redis` and `--prefix`.
pub(crate) fn redis(global: &Global) -> Result<RedisStore, Failure> {
    redis_part(global, "")
}

/// Returns the part of the store whose keys begin with `--prefix` and `part`.
pub(crate) fn redis_part(global: &Global, part: &str) -> Result<RedisStore, Failure> {
    let url = given(global.redis.as_deref(), "Redis", "--redis", "MRC_REDIS_URL", "redis://localhost:6379")?;
    let config = RedisConfig::from_url(url)?;
    let config = match &global.prefix {
        Some(prefix) => config.prefix(prefix),
        None => config,
    };
    Ok(RedisStore::new(config.append_prefix(part))?)
}

/// Returns a server for the cache of `--redis`, which retries a failed call for `retry` seconds.
pub(crate) fn server(global: &Global, retry: u32, output: &Output) -> Result<MrcServer, Failure> {
    let notes = *output;
    let server = MrcServer::with_store(redis(global)?).deadline(Duration::from_secs(retry.into()));
    Ok(server.on_event(move |event: &Event<'_>| {
        if let Event::DropRetried { error } = event {
            notes.note(&format!("{error}; trying again"));
        }
    }))
}

pub(crate) fn mysql(global: &Global) -> Result<MySqlExecutor, Failure> {
    Ok(MySqlExecutor::new(mysql_config(global)?)?)
}

pub(crate) fn mysql_config(global: &Global) -> Result<MySqlConfig, Failure> {
    let url = given(global.mysql.as_deref(), "MySQL", "--mysql", "MRC_MYSQL_URL", "mysql://localhost:3306/shop")?;
    Ok(MySqlConfig::from_url(url)?)
}

/// Closes a client's connections, or gives up after [`CLOSE_LIMIT`].
pub(crate) async fn close(client: &MrcClient) {
    let _ = tokio::time::timeout(CLOSE_LIMIT, client.close()).await;
}

fn given<'a>(
    url: Option<&'a str>,
    server: &str,
    flag: &str,
    variable: &str,
    example: &str,
) -> Result<&'a str, Failure> {
    url.filter(|url| !url.is_empty())
        .ok_or_else(|| Failure::Usage(format!("give the URL of {server} by {flag} or {variable}, such as {example}")))
}
