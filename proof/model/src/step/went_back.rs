//! Redis goes back: it restarts from a snapshot, or a replica is promoted that lags behind.

use super::replies;
use crate::part::Part;
use crate::state::command::Command;
use crate::state::index::Index;
use crate::state::process::Stage;
use crate::state::saved::Saved;
use crate::state::tagger::Phase;
use crate::state::world::World;
use crate::state::writer;

/// Takes the snapshot of a server.
pub(crate) fn save(world: &mut World, primary: u8) {
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
pub(crate) fn go_back(world: &mut World, without: Option<Part>) {
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
        replies::disconnected(world, id, without);
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
