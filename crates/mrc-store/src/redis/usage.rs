//! What the servers hold and have done, for a person who looks.

use fred::interfaces::{ClientLike, ServerInterface};
use futures_util::future::{try_join, try_join_all};

use super::RedisStore;
use super::failure::unexpected;
use super::link::Link;
use super::span::traced;
use crate::error::StoreError;

/// What one server of a cache holds and has done, for whoever uses it: not for this cache alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUsage {
    /// Which server it is, as events name it.
    pub server: String,
    /// How many keys the database has: those of the bookkeeping too.
    pub keys: u64,
    /// The memory that the server uses, in bytes.
    pub used_memory: u64,
    /// How often a key that was read was there, since the server started.
    pub hits: u64,
    /// How often it wasn't: a claim of a key looks for it too.
    pub misses: u64,
    /// How many connections the server has, ours included.
    pub clients: u64,
}

impl RedisStore {
    /// What each server holds and has done, by its `DBSIZE` and `INFO`; in a cluster each primary.
    ///
    /// # Errors
    /// [`StoreError::Refused`] also where the server allows these commands to nobody, as some hosted ones do.
    pub async fn usage(&self) -> Result<Vec<ServerUsage>, StoreError> {
        let links = self.servers.primaries_now().await?;
        let looks =
            links.iter().map(|link| async { usage(link).await.inspect_err(|error| self.servers.notice(error)) });
        try_join_all(looks).await
    }
}

async fn usage(link: &Link) -> Result<ServerUsage, StoreError> {
    let connection = link.connection().await?;
    let keys = traced(link.address(), "DBSIZE", None, connection.client.dbsize::<u64>());
    let info = traced(link.address(), "INFO", None, connection.client.info::<String>(None));
    let (keys, info) = link.judge(try_join(keys, info).await)?;
    let number = |name| number(&info, name).ok_or_else(|| unexpected("the answer to INFO lacks a number"));
    Ok(ServerUsage {
        server: link.address().name.clone(),
        keys,
        used_memory: number("used_memory")?,
        hits: number("keyspace_hits")?,
        misses: number("keyspace_misses")?,
        clients: number("connected_clients")?,
    })
}

/// `name:12` in a line of its own.
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
