//! The fill protocol and the index of tags as Lua scripts. Each touches one slot.

use std::borrow::Cow;
use std::sync::OnceLock;

use bytes::Bytes;
use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::ClientLike;
use fred::types::{ClusterHash, CustomCommand, Value};
use fred::util::sha1_hash;

/// Functions that read keys to which another program may have written.
pub(super) const LOOK: &str = include_str!("lua/look.lua");

/// A script that reads such keys, joined from several files.
macro_rules! looking {
    ($($file:literal),*) => { concat!(include_str!("lua/look.lua"), $(include_str!($file)),*) };
}

pub(super) static CLAIM: Script = Script::new("claim", looking!("lua/claim.lua", "lua/claim_one.lua"));
pub(super) static CLAIM_MANY: Script = Script::new("claim_many", looking!("lua/claim.lua", "lua/claim_many.lua"));
pub(super) static FILL: Script = Script::new("fill", looking!("lua/fill.lua", "lua/fill_one.lua"));
pub(super) static FILL_MANY: Script = Script::new("fill_many", looking!("lua/fill.lua", "lua/fill_many.lua"));
pub(super) static PUT: Script = Script::new("put", include_str!("lua/put.lua"));
pub(super) static RELEASE: Script = Script::new("release", looking!("lua/release.lua"));
pub(super) static TTL: Script = Script::new("ttl", looking!("lua/ttl.lua"));

pub(super) static TICK: Script = Script::new("tick", looking!("lua/clock.lua", "lua/tick.lua"));
pub(super) static TRACK: Script = Script::new("track", looking!("lua/track.lua"));
pub(super) static BUMP: Script = Script::new("bump", looking!("lua/clock.lua", "lua/bump.lua"));
pub(super) static DROP: Script = Script::new("drop", looking!("lua/drop_tagged.lua"));
pub(super) static PRUNE: Script = Script::new("prune", include_str!("lua/prune.lua"));

pub(super) static CHECKPOINT: Script = Script::new("checkpoint", include_str!("lua/checkpoint.lua"));
pub(super) static ADVANCE: Script = Script::new("advance", include_str!("lua/advance.lua"));
pub(super) static LEASE: Script = Script::new("lease", include_str!("lua/lease.lua"));
pub(super) static END_LEASE: Script = Script::new("end_lease", include_str!("lua/end_lease.lua"));

/// A script, sent by its hash, and in full only if the server doesn't know it.
pub(super) struct Script {
    /// The name in traces.
    pub(super) name: &'static str,
    lua: Cow<'static, str>,
    sha: OnceLock<String>,
}

impl Script {
    pub(super) const fn new(name: &'static str, lua: &'static str) -> Self {
        Self { name, lua: Cow::Borrowed(lua), sha: OnceLock::new() }
    }

    /// Returns a script joined from parts.
    pub(super) fn composed(name: &'static str, lua: String) -> Self {
        Self { name, lua: Cow::Owned(lua), sha: OnceLock::new() }
    }

    /// Runs the script. All keys must be in one slot.
    pub(super) async fn run(&self, client: &Client, keys: &[Bytes], args: &[Value]) -> Result<Value, Error> {
        let answer = client.custom(command("EVALSHA"), self.by_hash(keys, args)).await;
        if !self.is_unknown(&answer) {
            return answer;
        }
        // EVAL also loads the script. After a SCRIPT LOAD, a SCRIPT FLUSH could intervene.
        client.custom(command("EVAL"), arguments(&self.lua, keys, args)).await
    }

    /// Returns the arguments of EVALSHA.
    pub(super) fn by_hash(&self, keys: &[Bytes], args: &[Value]) -> Vec<Value> {
        arguments(self.sha.get_or_init(|| sha1_hash(&self.lua)), keys, args)
    }

    /// Returns whether the server didn't know the script, and so did nothing.
    pub(super) fn is_unknown(&self, answer: &Result<Value, Error>) -> bool {
        answer.as_ref().is_err_and(|error| error.details().starts_with("NOSCRIPT"))
    }
}

/// Returns a command. fred knows only one server here, and needs no slot.
pub(super) fn command(name: &'static str) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::Random, false)
}

fn arguments(script: &str, keys: &[Bytes], args: &[Value]) -> Vec<Value> {
    let mut all = Vec::with_capacity(2 + keys.len() + args.len());
    all.push(Value::from(script));
    all.push(Value::Integer(keys.len().try_into().unwrap_or(i64::MAX)));
    all.extend(keys.iter().cloned().map(Value::Bytes));
    all.extend(args.iter().cloned());
    all
}
