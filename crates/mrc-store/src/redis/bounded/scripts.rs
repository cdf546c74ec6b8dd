//! The scripts of a structure. A script that uses or evicts entries exists once for each policy.

use std::sync::LazyLock;

use crate::bound::Policy;
use crate::bound::policy::Victim;
use crate::redis::scripts::{LOOK, Script};

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

pub(super) static DROP: LazyLock<Script> = LazyLock::new(|| plain("drop", include_str!("../lua/bounded/drop.lua")));
pub(super) static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    plain("claim", concat!(include_str!("../lua/clock.lua"), include_str!("../lua/bounded/claim.lua")))
});
pub(super) static LEN: LazyLock<Script> = LazyLock::new(|| plain("len", include_str!("../lua/bounded/len.lua")));
pub(super) static PURGE: LazyLock<Script> = LazyLock::new(|| plain("purge", include_str!("../lua/bounded/purge.lua")));
pub(super) static RELEASE: LazyLock<Script> =
    LazyLock::new(|| plain("release", include_str!("../lua/bounded/release.lua")));
pub(super) static REMOVE: LazyLock<Script> =
    LazyLock::new(|| plain("remove", include_str!("../lua/bounded/remove.lua")));
pub(super) static TTL: LazyLock<Script> = LazyLock::new(|| plain("ttl", include_str!("../lua/bounded/ttl.lua")));

/// The scripts of one policy.
pub(super) struct Evicting {
    policy: Policy,
    pub(super) get: Script,
    pub(super) fill: Script,
    pub(super) put: Script,
}

impl Evicting {
    /// Returns whether the order is a set, because the policy has none.
    pub(super) fn has_no_order(&self) -> bool {
        self.policy.victim() == Victim::Random
    }
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
pub(super) fn of(policy: Policy) -> Option<&'static Evicting> {
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

/// Returns a script that removes keys of foreign types, and then runs as if they had been absent.
/// `orders` are the types of the order.
fn guarded(name: &'static str, orders: &str, step: &[&str]) -> Script {
    let begin = format!("local orders = {{{orders}}}\nlocal function step()\n");
    Script::composed(name, [LOOK, &begin, &step.concat(), "end\n", GUARD].concat())
}
