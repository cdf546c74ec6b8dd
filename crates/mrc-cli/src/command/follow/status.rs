//! `mrc follow --status`: what Redis knows about a follower.

use mrc::store::{CacheStore, Checkpoints, RedisStore};
use serde::Serialize;

use crate::error::Failure;
use crate::output::Output;

pub(super) async fn run(name: &str, store: &RedisStore, output: &Output) -> Result<(), Failure> {
    let found = store.checkpoint(name).await;
    store.close().await;
    let found = found?.ok_or_else(|| Failure::NoPosition { name: name.to_owned() })?;
    let age_seconds = found.age.as_secs_f64();
    if output.is_json() {
        let (position, leader) = (&*found.position, found.leader.as_deref());
        return output.document(&Stored { name, position, age_seconds, leader });
    }
    let leader = found.leader.as_deref().unwrap_or("none: no follower runs");
    let text =
        format!("follower  {name}\nposition  {}\nage       {age_seconds:.1} s\nleader    {leader}", found.position);
    output.result(text.as_bytes())
}

#[derive(Serialize)]
struct Stored<'a> {
    name: &'a str,
    position: &'a str,
    /// The time since a follower wrote or confirmed the position.
    age_seconds: f64,
    /// The random name of the process that has the lease.
    leader: Option<&'a str>,
}
