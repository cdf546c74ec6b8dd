//! The content and statistics of the servers, for diagnosis.

use std::sync::atomic::Ordering;

use futures_util::future::{try_join, try_join_all};

use super::client::Fault;
use super::failure::unexpected;
use super::link::{Connection, Link};
use super::store::RedisStore;
use crate::error::StoreError;

/// The content and statistics of one server, for all its clients together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUsage {
    /// The server's name, as in events.
    pub server: String,
    /// The number of keys in the database, including bookkeeping keys.
    pub keys: u64,
    /// The used memory of the server, in bytes.
    pub used_memory: u64,
    /// The reads of present keys since the server started.
    pub hits: u64,
    /// The reads of missing keys since the server started. A claim reads its key too.
    pub misses: u64,
    /// The number of connections of the server, including ours.
    pub clients: u64,
}

impl RedisStore {
    /// Returns the usage of each server by `DBSIZE` and `INFO`; in a cluster, of each primary.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: also if the server forbids these commands, as some hosted ones do.
    pub async fn usage(&self) -> Result<Vec<ServerUsage>, StoreError> {
        let links = self.servers.primaries_now().await?;
        let looks =
            links.iter().map(|link| async { usage(link).await.inspect_err(|error| self.servers.notice(error)) });
        try_join_all(looks).await
    }

    /// Returns the number of keys of all servers.
    pub(super) async fn sizes(&self) -> Result<u64, StoreError> {
        let links = self.servers.primaries().await?;
        let sizes = links.iter().map(|link| async {
            let connection = link.connection().await?;
            let size = link.judge(connection.send("DBSIZE", Vec::new()).await);
            let size = size.inspect_err(|error| self.servers.notice(error))?;
            size.as_u64().ok_or_else(size_unreadable)
        });
        Ok(try_join_all(sizes).await?.iter().sum())
    }

    /// Returns each server that may evict indexes of tags, with its policy. Empty before any tags.
    pub(super) async fn evicting_servers(&self) -> Result<Vec<String>, StoreError> {
        if !self.has_tags.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let links = self.servers.primaries().await?;
        let policies = links.iter().map(|link| async {
            let policy = link.judge(evicting_policy(&*link.connection().await?).await)?;
            Ok::<_, StoreError>(policy.map(|policy| risk(&link.address().name, &policy)))
        });
        Ok(try_join_all(policies).await?.into_iter().flatten().collect())
    }
}

/// Logs once per connection that a server may evict indexes of tags.
pub(super) async fn warn_if_evicting(connection: &Connection) {
    if connection.is_new_to_tags()
        && let Ok(Some(policy)) = evicting_policy(connection).await
    {
        tracing::warn!(target: "mrc", server = connection.address.name, policy, "{}", risk(&connection.address.name, &policy));
    }
}

fn risk(server: &str, policy: &str) -> String {
    format!(
        "{server} evicts by {policy}: entries whose tags it evicts are invalidated no more until their TTL ends; \
         set maxmemory-policy noeviction, or drop by Strategy::Both"
    )
}

/// Returns the policy if it evicts. INFO reports it also to users without CONFIG rights.
///
/// All our keys have a TTL, so `volatile-` policies evict them like `allkeys-` policies.
async fn evicting_policy(connection: &Connection) -> Result<Option<String>, Fault> {
    let info = connection.send("INFO", vec!["memory".into()]).await?.into_string().unwrap_or_default();
    let policy = info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(str::trim_end);
    Ok(policy.filter(|policy| *policy != "noeviction").map(str::to_owned))
}

async fn usage(link: &Link) -> Result<ServerUsage, StoreError> {
    let connection = link.connection().await?;
    let (keys, info) = (connection.send("DBSIZE", Vec::new()), connection.send("INFO", Vec::new()));
    let (keys, info) = link.judge(try_join(keys, info).await)?;
    let info = info.into_string().unwrap_or_default();
    let number = |name| number(&info, name).ok_or_else(|| unexpected("the answer to INFO lacks a number"));
    Ok(ServerUsage {
        server: link.address().name.clone(),
        keys: keys.as_u64().ok_or_else(size_unreadable)?,
        used_memory: number("used_memory")?,
        hits: number("keyspace_hits")?,
        misses: number("keyspace_misses")?,
        clients: number("connected_clients")?,
    })
}

fn size_unreadable() -> StoreError {
    unexpected("the number of keys can't be read")
}

/// Returns the number of a line such as `name:12`.
fn number(info: &str, name: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim_end().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_in_a_line_of_its_own() {
        let info = "# Memory\r\nused_memory_rss:7\r\nused_memory:12\r\nused_memory_human:1K\r\n\r\n# Stats\r\nx:y\r\n";
        let check = |name, expect| assert_eq!(number(info, name), expect, "{name}");
        check("used_memory", Some(12));
        check("used_memory_rss", Some(7));
        check("used_memory_human", None);
        check("memory", None);
        check("x", None);
    }
}
