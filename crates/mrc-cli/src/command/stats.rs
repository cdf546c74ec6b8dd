//! `mrc stats`: counts the entries of the cache, and shows the state of its servers.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::TryStreamExt;
use indicatif::{HumanBytes, HumanCount};
use mrc::errors::StoreError;
use mrc::store::redis::ServerUsage;
use mrc::store::{CacheStore, RedisStore, ScanPattern};
use serde::Serialize;

use crate::args::Global;
use crate::connect;
use crate::error::Failure;
use crate::output::{Output, plural};

/// The limit of listed namespaces. A shared Redis may have any number of similar keys.
const NAMESPACES: usize = 1_000;
const HASH_DIGITS: usize = 40;

pub(crate) async fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let store = connect::redis(global)?;
    // The first ping connects, so the second one is timed.
    store.ping().await?;
    let began = Instant::now();
    store.ping().await?;
    let ping_ms = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;

    let entries = count(&store, output).await?;
    let servers = match store.usage().await {
        Err(StoreError::Refused(why)) => {
            output.note(&format!("note: the server doesn't report its state: {why}"));
            None
        }
        usage => Some(usage?.into_iter().map(Server::from).collect()),
    };
    store.close().await;
    let report = Report { about: entries.total(), entries, ping_ms, servers };
    if output.is_json() { output.document(&report) } else { output.result(report.text().as_bytes()) }
}

async fn count(store: &RedisStore, output: &Output) -> Result<Entries, Failure> {
    let (mut entries, spinner) = (Entries::default(), output.spinner());
    let mut pages = store.scan(&ScanPattern::All);
    while let Some(page) = pages.try_next().await? {
        for key in &page {
            // A bounded cache is one key with many entries.
            entries.add(key, store.structure_len(key).await?.unwrap_or(1));
        }
        spinner.set_message(format!("{} keys scanned", HumanCount(entries.total())));
    }
    spinner.finish_and_clear();
    Ok(entries)
}

#[derive(Serialize)]
struct Report {
    /// The number of entries. A scan may count an entry twice.
    about: u64,
    entries: Entries,
    ping_ms: f64,
    /// `None` if the server refuses to report its state.
    servers: Option<Vec<Server>>,
}

/// The number of entries of each kind, including entries that are being computed.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Entries {
    namespaces: BTreeMap<String, u64>,
    queries: u64,
    other: u64,
}

impl Entries {
    fn add(&mut self, key: &[u8], how_many: u64) {
        let is_full = self.namespaces.len() >= NAMESPACES;
        match namespace(key) {
            Some(name) => match self.namespaces.get_mut(&*name) {
                Some(count) => *count += how_many,
                None if !is_full => _ = self.namespaces.insert(name.into_owned(), how_many),
                None => self.other += how_many,
            },
            None if is_query(key) => self.queries += 1,
            None => self.other += 1,
        }
    }

    fn total(&self) -> u64 {
        self.namespaces.values().sum::<u64>() + self.queries + self.other
    }
}

/// Returns the text before the first colon, unless the colon is in the value of a param.
fn namespace(key: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let name = key.get(..key.iter().position(|byte| *byte == b':')?)?;
    (!name.is_empty() && !name.contains(&b'=')).then(|| String::from_utf8_lossy(name))
}

/// Returns whether the key is `StoreId=6_` and a hash, or a hash alone.
fn is_query(key: &[u8]) -> bool {
    let Some((params, hash)) = key.len().checked_sub(HASH_DIGITS).and_then(|at| key.split_at_checked(at)) else {
        return false;
    };
    hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && (params.is_empty() || params.ends_with(b"_"))
}

/// [`ServerUsage`], as printed.
#[derive(Serialize)]
struct Server {
    server: String,
    keys: u64,
    used_memory_bytes: u64,
    hits: u64,
    misses: u64,
    clients: u64,
}

impl From<ServerUsage> for Server {
    fn from(usage: ServerUsage) -> Self {
        Self {
            server: usage.server,
            keys: usage.keys,
            used_memory_bytes: usage.used_memory,
            hits: usage.hits,
            misses: usage.misses,
            clients: usage.clients,
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let about = plural(self.about, "entry", "entries");
        let mut text = format!("about {about}; a ping took {:.1} ms\n\n", self.ping_ms);
        let title = ["entries".to_owned(), "about".to_owned()];
        let queries = std::iter::once(("queries".to_owned(), self.entries.queries));
        // A key may contain control characters of the terminal.
        let namespaces =
            self.entries.namespaces.iter().map(|(name, count)| (format!("{}:", name.escape_debug()), *count));
        let kinds = queries.chain(namespaces).chain([("other".to_owned(), self.entries.other)]);
        let kinds = kinds.filter(|(_, count)| *count > 0).map(|(name, count)| [name, HumanCount(count).to_string()]);
        let kinds: Vec<_> = std::iter::once(title).chain(kinds).collect();
        if kinds.len() > 1 {
            text.push_str(&table(&kinds));
            text.push('\n');
        }
        let mut servers = vec![["server", "keys", "memory", "hits", "misses", "clients"].map(str::to_owned)];
        servers.extend(self.servers.iter().flatten().map(Server::row));
        if servers.len() > 1 {
            text.push_str(&table(&servers));
        }
        text.trim_end().to_owned()
    }
}

impl Server {
    fn row(&self) -> [String; 6] {
        let count = |count| HumanCount(count).to_string();
        let memory = HumanBytes(self.used_memory_bytes).to_string();
        [self.server.clone(), count(self.keys), memory, count(self.hits), count(self.misses), count(self.clients)]
    }
}

/// Returns lines with aligned columns, the first to the left and the others to the right.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        for (at, (width, cell)) in widths.iter().zip(row).enumerate() {
            text += &if at == 0 { format!("{cell:width$}") } else { format!("  {cell:>width$}") };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "11f6ad8ec52a2984abaafd7c3b516503785c2072";

    #[test]
    fn a_key_shows_the_kind_of_its_entry() {
        let check = |key: &str, expect: &str| {
            let mut entries = Entries::default();
            entries.add(key.as_bytes(), 1);
            let namespace = entries.namespaces.keys().next().map(String::as_str);
            let kind = namespace.unwrap_or(if entries.queries > 0 { "a query" } else { "other" });
            assert_eq!((kind, entries.total()), (expect, 1), "{key}");
        };
        check(HASH, "a query");
        check(&format!("StoreId=6_{HASH}"), "a query");
        check(&format!("At=10:30_{HASH}"), "a query");
        check(&format!("StoreId=6{HASH}"), "other");
        check(&format!("StoreId=6_{}", HASH.to_uppercase()), "other");
        check(&HASH[1..], "other");
        check("shop:report@2(store=6)", "shop");
        check(&format!("shop:file_{HASH}"), "shop");
        check("shop:", "shop");
        check(":shop", "other");
        check("", "other");
        check("a=1:b", "other");
    }

    #[test]
    fn namespaces_beyond_the_limit_are_others() {
        let mut entries = Entries::default();
        for at in 0..NAMESPACES + 2 {
            entries.add(format!("{at}:a").as_bytes(), 1);
        }
        entries.add(b"0:b", 1);
        assert_eq!((entries.namespaces.len(), entries.other, entries.namespaces["0"]), (NAMESPACES, 2, 2));
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["of", "about"], ["queries", "1,000"], ["ü:", "2"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "of       about\nqueries  1,000\nü:           2\n");
    }
}
