//! The fill protocol and the index of tags as Lua scripts. Each touches one slot.

use std::borrow::Cow;
use std::sync::OnceLock;

use bytes::Bytes;

use super::client::{Client, Fault, Value};
use super::hash::sha1;

/// Functions that read keys to which another program may have written.
pub(super) const LOOK: &str = include_str!("lua/look.lua");

/// A script that reads such keys, joined from several files.
macro_rules! looking {
    ($($file:literal),*) => { concat!(include_str!("lua/look.lua"), $(include_str!($file)),*) };
}

pub(super) static CLAIM: Script = Script::new("claim", looking!("lua/claim.lua", "lua/claim_one.lua"));
pub(super) static CLAIM_AT: Script =
    Script::new("claim_at", looking!("lua/clock.lua", "lua/claim.lua", "lua/claim_at.lua"));
pub(super) static CLAIM_MANY: Script =
    Script::new("claim_many", looking!("lua/clock.lua", "lua/claim.lua", "lua/claim_many.lua"));
pub(super) static FILL: Script = Script::new("fill", looking!("lua/fill.lua", "lua/fill_one.lua"));
/// Fills with tags, on one server: each registers its key and stores its value in one step.
pub(super) static FILL_TAGGED: Script = Script::new(
    "fill_tagged",
    looking!(
        "lua/track.lua", "lua/registry.lua", "lua/registered.lua", "lua/track_entry.lua", "lua/release.lua",
        "lua/fill.lua", "lua/fill_tagged.lua"
    ),
);
pub(super) static FILL_MANY: Script = Script::new("fill_many", looking!("lua/fill.lua", "lua/fill_many.lua"));
pub(super) static PUT: Script = Script::new("put", include_str!("lua/put.lua"));
pub(super) static RELEASE: Script = Script::new("release", looking!("lua/release.lua", "lua/release_one.lua"));
pub(super) static TTL: Script = Script::new("ttl", looking!("lua/ttl.lua"));

pub(super) static TICK: Script = Script::new("tick", looking!("lua/clock.lua", "lua/tick.lua"));
pub(super) static TRACK: Script = Script::new("track", looking!("lua/track.lua", "lua/track_tags.lua"));
pub(super) static BUMP: Script = Script::new("bump", looking!("lua/clock.lua", "lua/bump.lua"));
pub(super) static MARK: Script = Script::new("mark", looking!("lua/clock.lua", "lua/mark.lua"));
pub(super) static DROP: Script = Script::new("drop", looking!("lua/drop_tagged.lua"));
pub(super) static PRUNE: Script = Script::new("prune", include_str!("lua/prune.lua"));

pub(super) static CHECKPOINT: Script = Script::new("checkpoint", include_str!("lua/checkpoint.lua"));
pub(super) static ADVANCE: Script =
    Script::new("advance", concat!(include_str!("lua/history.lua"), include_str!("lua/advance.lua")));
pub(super) static COPY_POSITION: Script =
    Script::new("copy_position", concat!(include_str!("lua/history.lua"), include_str!("lua/copy_position.lua")));
pub(super) static GO_BACK: Script = Script::new("go_back", include_str!("lua/go_back.lua"));
pub(super) static LEASE: Script = Script::new("lease", include_str!("lua/lease.lua"));
pub(super) static END_LEASE: Script = Script::new("end_lease", include_str!("lua/end_lease.lua"));

pub(super) static REGISTER: Script =
    Script::new("register", looking!("lua/clock.lua", "lua/registry.lua", "lua/register.lua"));
pub(super) static REGISTERED: Script =
    Script::new("registered", looking!("lua/registry.lua", "lua/registered.lua", "lua/registered_tags.lua"));
pub(super) static SCHEMES: Script = Script::new("schemes", looking!("lua/registry.lua", "lua/schemes.lua"));

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

    pub(super) fn composed(name: &'static str, lua: String) -> Self {
        Self { name, lua: Cow::Owned(lua), sha: OnceLock::new() }
    }

    /// Runs the script. All keys must be in one slot.
    pub(super) async fn run(&self, client: &Client, keys: &[Bytes], args: &[Value]) -> Result<Value, Fault> {
        let answer = client.send("EVALSHA", self.by_hash(keys, args)).await;
        if !self.is_unknown(&answer) {
            return answer;
        }
        // EVAL also loads the script. After a SCRIPT LOAD, a SCRIPT FLUSH could intervene.
        client.send("EVAL", arguments(&self.lua, keys, args)).await
    }

    /// Returns the arguments of EVALSHA.
    pub(super) fn by_hash(&self, keys: &[Bytes], args: &[Value]) -> Vec<Value> {
        arguments(self.sha.get_or_init(|| sha1(&self.lua)), keys, args)
    }

    /// Returns whether the server didn't know the script, and so did nothing.
    pub(super) fn is_unknown(&self, answer: &Result<Value, Fault>) -> bool {
        answer.as_ref().is_err_and(|fault| fault.first_word() == "NOSCRIPT")
    }
}

fn arguments(script: &str, keys: &[Bytes], args: &[Value]) -> Vec<Value> {
    let mut all = Vec::with_capacity(2 + keys.len() + args.len());
    all.push(Value::from(script));
    all.push(Value::Integer(keys.len().try_into().unwrap_or(i64::MAX)));
    all.extend(keys.iter().cloned().map(Value::Bytes));
    all.extend(args.iter().cloned());
    all
}
