//! What keys lose, and what others put there.

use crate::state::index::Tags;
use crate::state::redis::{Content, Value};
use crate::state::world::World;

/// A fault that isn't a step of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// K of this entry.
    KGoes(u8),
    LGoes(u8),
    SGoes(u8),
    GGoes(u8),
    EpochGoes,
    PeerFills,
}

/// Returns the faults that may happen next.
pub(crate) fn possible(world: &World) -> Vec<Fault> {
    let faults = world.faults;
    let mut possible = Vec::new();
    for (id, entry) in (0..).zip(&world.entries) {
        possible.extend([
            (faults.k_goes > 0 && entry.k != Content::Absent, Fault::KGoes(id)),
            (faults.l_goes > 0 && entry.l.is_some(), Fault::LGoes(id)),
            (faults.s_goes > 0 && entry.s != Content::Absent, Fault::SGoes(id)),
            (faults.g_goes > 0 && entry.g != Tags::None, Fault::GGoes(id)),
        ]);
    }
    possible.extend([
        (faults.epoch_goes > 0 && world.index.epoch > 0, Fault::EpochGoes),
        (faults.peer_fills > 0, Fault::PeerFills),
    ]);
    possible.into_iter().filter(|(may, _)| *may).map(|(_, fault)| fault).collect()
}

/// Lets it happen.
pub(crate) fn happen(world: &mut World, fault: Fault) {
    match fault {
        Fault::KGoes(id) => {
            world.faults.k_goes -= 1;
            world.entries[usize::from(id)].k = Content::Absent;
        }
        Fault::LGoes(id) => {
            world.faults.l_goes -= 1;
            world.entries[usize::from(id)].l = None;
        }
        Fault::SGoes(id) => {
            world.faults.s_goes -= 1;
            world.entries[usize::from(id)].s = Content::Absent;
        }
        Fault::GGoes(id) => {
            world.faults.g_goes -= 1;
            world.entries[usize::from(id)].g = Tags::None;
        }
        Fault::EpochGoes => {
            world.faults.epoch_goes -= 1;
            world.index.forget();
        }
        Fault::PeerFills => {
            world.faults.peer_fills -= 1;
            world.entries[0].k = Content::Value(Value::plain(world.row));
        }
    }
}

/// Returns the fault in words.
pub(crate) fn words(before: &World, fault: Fault) -> String {
    match fault {
        Fault::KGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("K", id)),
        Fault::LGoes(id) => format!("Redis: {} goes: expired or evicted", key("L", id)),
        Fault::SGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("S", id)),
        Fault::GGoes(id) => format!("Redis: {} goes: expired or evicted", key("G", id)),
        Fault::EpochGoes => "Redis: T forgets its epoch".to_owned(),
        Fault::PeerFills => format!("a peer: reads v{0} and SETs K to v{0}", before.row),
    }
}

/// Returns the name of a key of an entry.
pub(crate) fn key(key: &str, entry: u8) -> String {
    ["", " of O", " of P"].get(usize::from(entry)).map_or_else(String::new, |of| format!("{key}{of}"))
}
