//! `mrc follow --status`: what Redis knows about a follower.

use std::collections::HashSet;

use mrc::follow::rules::FollowConfig;
use mrc::store::{CacheStore, Checkpoints, RedisStore, Registry, Schemes};
use serde::Serialize;

use crate::error::Failure;
use crate::output::{Output, counted};

pub(super) async fn run(config: &FollowConfig, store: &RedisStore, output: &Output) -> Result<(), Failure> {
    let name = &*config.name;
    let found = store.checkpoint(name).await;
    let registry =
        if config.auto { store.registry(None).await.map(Option::unwrap_or_default).map(Some) } else { Ok(None) };
    store.close().await;
    let found = found?.ok_or_else(|| Failure::NoPosition { name: name.to_owned() })?;
    let schemes = registry?.map(|registry| (registry.schemes.len(), tables(&registry)));
    let (age_seconds, lag_seconds) = (found.age.as_secs_f64(), found.lag.as_secs_f64());
    if output.is_json() {
        let (position, leader) = (&*found.position, found.leader.as_deref());
        let (schemes, tables) = schemes.unzip();
        return output.document(&Stored { name, position, age_seconds, lag_seconds, leader, schemes, tables });
    }
    let leader = found.leader.as_deref().unwrap_or("none: no follower runs");
    let mut text = format!(
        "follower  {name}\nposition  {}\nage       {age_seconds:.1} s\nlag       {lag_seconds:.1} s\nleader    {leader}",
        found.position
    );
    if let Some((schemes, tables)) = schemes {
        text += &format!("\nschemes   {schemes} of {}", counted(tables as u64, "table"));
    }
    output.result(text.as_bytes())
}

#[derive(Serialize)]
struct Stored<'a> {
    name: &'a str,
    position: &'a str,
    /// The time since a follower wrote or confirmed the position.
    age_seconds: f64,
    /// The time from the newest commit up to the position to its invalidation.
    lag_seconds: f64,
    /// The random name of the process that has the lease.
    leader: Option<&'a str>,
    /// With `auto`: the conditions on rows that readers have registered, and their tables.
    schemes: Option<usize>,
    tables: Option<usize>,
}

fn tables(registry: &Registry) -> usize {
    let mut tables = HashSet::new();
    for scheme in &registry.schemes {
        tables.insert(scheme.of_table());
    }
    tables.len()
}
