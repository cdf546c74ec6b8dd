//! One structure: the keys of its parts, and its scripts. Those that use or evict exist per policy.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::bound::Policy;
use crate::bound::layout::Member;
use crate::bound::policy::Victim;
use crate::error::StoreError;
use crate::redis::bookkeeping;
use crate::redis::client::Value;
use crate::redis::failure::unexpected;
use crate::redis::scripts::{LOOK, Script};
use crate::redis::store::RedisStore;

/// The parts: the order of the entries, their values, the ends of entries and of claims, and tags.
const PARTS: usize = 5;

/// The keys of one structure, and the steps on the structure as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::redis) struct StructureKeys {
    pub(super) base: Bytes,
    pub(in crate::redis) parts: [Bytes; PARTS],
    /// The maximal number of entries.
    pub(super) room: usize,
    /// Whether the structure is shared with Python.
    pub(in crate::redis) is_theirs: bool,
}

impl StructureKeys {
    pub(super) fn new(base: impl Into<Bytes>, room: usize, is_theirs: bool) -> Self {
        let base = base.into();
        let part = |number: u8| [&base[..], b":", &[b'0' + number]].concat().into();
        Self { parts: [0, 1, 2, 3, 4].map(part), base, room, is_theirs }
    }

    /// Returns a structure that isn't shared with Python, to inspect or remove it.
    pub(in crate::redis) fn ours(base: Bytes) -> Self {
        Self::new(base, 0, false)
    }

    /// Returns the key of the lease on this field, in the structure's slot.
    ///
    /// It is text, because the PyPI peer reads every key of a server as text.
    pub(in crate::redis) fn lease(&self, prefix: &str, field: &[u8]) -> Bytes {
        let hex = self.is_theirs.then(|| hex(field).into_bytes());
        bookkeeping::lease_key(prefix, &[&self.base[..], b":", hex.as_deref().unwrap_or(field)].concat())
    }

    /// Returns the name of an entry in the index of a tag.
    pub(super) fn member(&self, field: &[u8]) -> Bytes {
        Member::name(self.is_theirs, &self.base, field)
    }

    /// Returns the structure and the field of such a name, or `None` for the key of a plain entry.
    pub(in crate::redis) fn of_member(member: &Bytes) -> Option<(Self, Bytes)> {
        let Member { is_theirs, base, field } = Member::of(member)?;
        Some((Self::new(base, 0, is_theirs), field))
    }

    /// Returns the maximal number of entries, for a script.
    pub(super) fn room(&self) -> Value {
        Value::Integer(self.room.try_into().unwrap_or(i64::MAX))
    }

    /// Removes the fields with all of these tags, or that may get them. Answers a number for each.
    pub(in crate::redis) async fn drop_fields(
        &self,
        store: &RedisStore,
        fields: impl Iterator<Item = &Bytes> + Clone,
        tags: &[Value],
    ) -> Result<Value, StoreError> {
        let leases = fields.clone().map(|field| self.lease(&store.config.prefix, field));
        let keys: Vec<Bytes> = self.parts.iter().cloned().chain(leases).collect();
        let count = Value::Integer(tags.len().try_into().unwrap_or(i64::MAX));
        let fields: Vec<Value> = fields.cloned().map(Value::Bytes).collect();
        let theirs = Value::Integer(self.is_theirs.into());
        store.run(&DROP, &keys, &[&[count], tags, &fields, &[theirs]].concat()).await
    }

    /// Returns the number of values. Expired entries are removed first.
    pub(in crate::redis) async fn len(&self, store: &RedisStore) -> Result<u64, StoreError> {
        self.count(store, &LEN).await
    }

    /// Removes the structure, and returns the number of its values.
    pub(in crate::redis) async fn purge(&self, store: &RedisStore) -> Result<u64, StoreError> {
        self.count(store, &PURGE).await
    }

    async fn count(&self, store: &RedisStore, script: &'static Script) -> Result<u64, StoreError> {
        let answer = store.run(script, &self.parts, &[Value::Integer(self.is_theirs.into())]).await?;
        answer.as_u64().ok_or_else(|| unexpected("the size of a structure can't be read"))
    }
}

pub(super) fn hex(field: &[u8]) -> String {
    field.iter().map(|byte| format!("{byte:02x}")).collect()
}

const STRUCTURE: &str = include_str!("../lua/bounded/structure.lua");
const ORDER: &str = include_str!("../lua/bounded/order.lua");
const GUARD: &str = include_str!("../lua/bounded/guard.lua");
/// The functions of a fill that registers its tags.
const TAGGING: &str = concat!(
    include_str!("../lua/track.lua"),
    include_str!("../lua/registry.lua"),
    include_str!("../lua/registered.lua"),
    include_str!("../lua/track_entry.lua")
);
const EVICT: &str = include_str!("../lua/bounded/evict.lua");

static DROP: LazyLock<Script> = LazyLock::new(|| plain("drop", include_str!("../lua/bounded/drop.lua")));
pub(super) static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    plain("claim", concat!(include_str!("../lua/clock.lua"), include_str!("../lua/bounded/claim.lua")))
});
static LEN: LazyLock<Script> = LazyLock::new(|| plain("len", include_str!("../lua/bounded/len.lua")));
static PURGE: LazyLock<Script> = LazyLock::new(|| plain("purge", include_str!("../lua/bounded/purge.lua")));
pub(super) static RELEASE: LazyLock<Script> =
    LazyLock::new(|| plain("release", include_str!("../lua/bounded/release.lua")));
pub(super) static REMOVE: LazyLock<Script> =
    LazyLock::new(|| plain("remove", include_str!("../lua/bounded/remove.lua")));
pub(super) static TTL: LazyLock<Script> = LazyLock::new(|| plain("ttl", include_str!("../lua/bounded/ttl.lua")));

/// The scripts of one policy.
pub(super) struct Evicting {
    pub(super) policy: Policy,
    pub(super) get: Script,
    pub(super) fill: Script,
    pub(super) put: Script,
}

static EVICTING: LazyLock<[Evicting; 7]> = LazyLock::new(|| {
    Policy::ALL.map(|policy| Evicting {
        policy,
        get: evicting("get", policy, include_str!("../lua/bounded/get.lua")),
        fill: evicting("fill", policy, &[TAGGING, include_str!("../lua/bounded/fill.lua")].concat()),
        put: evicting("put", policy, include_str!("../lua/bounded/put.lua")),
    })
});

/// Returns the scripts of this policy. Returns `None` if it has none.
pub(super) fn scripts_of(policy: Policy) -> Option<&'static Evicting> {
    EVICTING.iter().find(|scripts| scripts.policy == policy)
}

/// Returns a script for structures of any policy.
fn plain(name: &'static str, lua: &str) -> Script {
    const KIND: &str = "local is_set = redis.call('TYPE', KEYS[1]).ok == 'set'\n";
    guarded(name, "zset = true, set = true", &[KIND, STRUCTURE, lua])
}

fn evicting(name: &'static str, policy: Policy, lua: &str) -> Script {
    let (is_set, victim) = (policy.victim() == Victim::Random, policy.victim().command());
    let kind = format!("local is_set, victim = {is_set}, '{victim}'\n");
    guarded(
        name,
        if is_set { "set = true" } else { "zset = true" },
        &[&kind, STRUCTURE, ORDER, policy.lua(), EVICT, lua],
    )
}

/// Returns a script that removes keys of types other than `orders`, then runs without them.
fn guarded(name: &'static str, orders: &str, step: &[&str]) -> Script {
    let begin = format!("local orders = {{{orders}}}\nlocal function step()\n");
    Script::composed(name, [LOOK, &begin, &step.concat(), "end\n", GUARD].concat())
}
