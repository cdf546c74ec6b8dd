//! Redis goes back: it restarts from a snapshot, or a replica is promoted that lags behind.

use super::replies;
use crate::part::Part;
use crate::state::command::Command;
use crate::state::process::Stage;
use crate::state::saved::Saved;
use crate::state::tagger::{Phase, Task};
use crate::state::world::World;
use crate::state::writer;

/// Takes the snapshot.
pub(crate) fn save(world: &mut World) {
    let World { entries, index, position, floor, .. } = world;
    let saved = Saved { entries: *entries, index: index.clone(), position: *position, floor: *floor };
    world.saved = Some(Box::new(saved));
}

/// Goes back to the snapshot. The clock goes on, since it follows the time. All connections end,
/// and with them the commands on their way.
pub(crate) fn go_back(world: &mut World, without: Option<Part>) {
    let Some(saved) = world.saved.take() else { return };
    world.faults.goes_back -= 1;
    let clock = world.index.clock;
    world.entries = saved.entries;
    world.index = saved.index;
    world.index.clock = clock;
    if without != Some(Part::PositionInside) {
        world.position = saved.position;
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
        match (tagger.step, tagger.task) {
            (Phase::Idle | Phase::Committed, _) => {}
            (_, Task::Follow(_)) if without != Some(Part::BatchAgain) => tagger.give_up(),
            _ => tagger.begin(),
        }
    }
    for process in &mut world.processes {
        let at = process.at;
        process.round += 1;
        process.step = match process.step {
            Stage::Invalidating { .. } | Stage::Invalidated { .. } | Stage::Writing { .. }
                if without != Some(Part::BatchAgain) =>
            {
                Stage::reading(at)
            }
            Stage::Writing { upto } => Stage::Invalidated { upto },
            step => step,
        };
    }
}
