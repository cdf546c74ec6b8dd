//! Losses of keys, values that others put there, and a Redis that goes back.

use super::calls;
use crate::part::Part;
use crate::state::tagger::Phase;
use crate::state::{Command, Content, Index, Saved, Stage, Tags, Value, World, writer};

/// A fault that isn't a step of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// K of this entry.
    KGoes(u8),
    LGoes(u8),
    SGoes(u8),
    GGoes(u8),
    EpochGoes,
    BucketGoes,
    SchemeGoes,
    PeerFills,
    /// The snapshot is taken to which Redis, or this primary, goes back later.
    Saves(u8),
    GoesBack,
}

pub(crate) fn possible(world: &World, without: Option<Part>) -> Vec<Fault> {
    let faults = world.faults;
    let table = &world.index.table;
    // A registration lasts as long as the entries that can be filled under it.
    let scheme_ends = without == Some(Part::SchemeKept)
        || world.entries.iter().all(|entry| entry.k == Content::Absent && entry.s == Content::Absent);
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
        (faults.bucket_goes > 0 && table.bucket > 0, Fault::BucketGoes),
        (faults.scheme_goes > 0 && table.scheme.is_some() && scheme_ends, Fault::SchemeGoes),
        (faults.peer_fills > 0, Fault::PeerFills),
        (faults.goes_back > 0 && world.saved.is_none(), Fault::Saves(0)),
        (faults.goes_back > 0 && world.saved.is_none() && world.primaries.are_a_cluster, Fault::Saves(1)),
        (faults.goes_back > 0 && world.saved.is_some(), Fault::GoesBack),
    ]);
    possible.into_iter().filter(|(may, _)| *may).map(|(_, fault)| fault).collect()
}

pub(crate) fn happen(world: &mut World, fault: Fault, without: Option<Part>) {
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
        Fault::BucketGoes => {
            world.faults.bucket_goes -= 1;
            world.index.table.forget_bucket();
        }
        Fault::SchemeGoes => {
            world.faults.scheme_goes -= 1;
            world.index.table.scheme = None;
            // Processes register again long before a registration ends.
            for reader in &mut world.readers {
                reader.registered = false;
            }
        }
        Fault::Saves(primary) => save(world, primary),
        Fault::GoesBack => go_back(world, without),
        Fault::PeerFills => {
            world.faults.peer_fills -= 1;
            world.entries[0].k = Content::Value(Value::plain(world.row));
        }
    }
}

pub(crate) fn words(before: &World, fault: Fault) -> String {
    match fault {
        Fault::KGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("K", id)),
        Fault::LGoes(id) => format!("Redis: {} goes: expired or evicted", key("L", id)),
        Fault::SGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("S", id)),
        Fault::GGoes(id) => format!("Redis: {} goes: expired or evicted", key("G", id)),
        Fault::EpochGoes => "Redis: T forgets its epoch".to_owned(),
        Fault::BucketGoes => "Redis: the bucket expires".to_owned(),
        Fault::SchemeGoes => "Redis: the registration of the scheme expires".to_owned(),
        Fault::Saves(primary) if before.primaries.are_a_cluster => {
            format!("the replica of {} has this, and lags behind from here", if primary == 0 { "A" } else { "B" })
        }
        Fault::GoesBack if before.primaries.are_a_cluster => "that replica takes over".to_owned(),
        Fault::Saves(_) => "Redis: takes a snapshot".to_owned(),
        Fault::GoesBack => "Redis: goes back to the snapshot; all connections end".to_owned(),
        Fault::PeerFills => format!("a peer: reads v{0} and SETs K to v{0}", before.row),
    }
}

/// Returns the name of a key of an entry.
pub(crate) fn key(key: &str, entry: u8) -> String {
    ["", " of O", " of P"].get(usize::from(entry)).map_or_else(String::new, |of| format!("{key}{of}"))
}

fn save(world: &mut World, primary: u8) {
    let World { entries, index, position, primaries, floor, .. } = world;
    let (index, primaries) = (index.clone(), primaries.clone());
    let saved = Saved { primary, entries: *entries, index, position: *position, primaries, floor: *floor };
    world.saved = Some(Box::new(saved));
}

/// A primary of a cluster goes back to the snapshot. The commands on their way reach the new one.
fn primary_goes_back(world: &mut World, saved: &Saved) {
    let Saved { primary, primaries, .. } = saved;
    if *primary == 0 {
        world.entries = saved.entries;
    }
    if *primary == primaries.index_at {
        world.index = Index { clock: world.index.clock, ..saved.index.clone() };
    }
    if *primary == primaries.position_at {
        world.position = saved.position;
        (world.primaries.number, world.primaries.history) = (primaries.number, primaries.history);
        world.primaries.again = primaries.again;
    }
    let at = usize::from(*primary);
    world.primaries.copies[at] = primaries.copies[at];
    world.primaries.histories[at] += 1;
    world.floor = saved.floor;
}

/// Goes back to the snapshot. The clock goes on, since it follows the time. All connections end,
/// and with them the commands on their way.
fn go_back(world: &mut World, without: Option<Part>) {
    let Some(saved) = world.saved.take() else { return };
    world.faults.goes_back -= 1;
    if world.primaries.are_a_cluster {
        return primary_goes_back(world, &saved);
    }
    let clock = world.index.clock;
    world.entries = saved.entries;
    world.index = saved.index;
    world.index.clock = clock;
    world.primaries.histories[0] += 1;
    if without != Some(Part::PositionInside) {
        world.position = saved.position;
        world.primaries.history = saved.primaries.history;
        world.primaries.again = saved.primaries.again;
        world.floor = saved.floor;
    }
    if without == Some(Part::FillConnection) {
        // The fills find another connection, with their tracks behind them.
        world.network.retain(|command| matches!(command, Command::Fill { .. }));
    } else {
        world.network.clear();
    }

    for id in (0..).zip(&world.readers).map(|(id, _)| id).collect::<Vec<_>>() {
        calls::disconnected(world, id, without);
    }
    for writer in &mut world.writers {
        if matches!(writer.step, writer::Phase::Invalidating { .. }) {
            writer.round += 1;
            writer.step = writer::Phase::Committed;
        }
    }
    for tagger in &mut world.taggers {
        if !matches!(tagger.step, Phase::Idle | Phase::Committed) {
            tagger.begin();
        }
    }
    for process in &mut world.processes {
        process.round += 1;
        if let Stage::Writing { upto } = process.step {
            process.step = Stage::Invalidated { upto };
        }
    }
}
