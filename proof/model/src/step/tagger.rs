//! A writer that invalidates by tag: commit, tick, bump, drop, return; and prune afterwards.

use super::process;
use crate::part::Part;
use crate::state::tagger::Phase;
use crate::state::{Command, Moment, Scores, Tagger, Task, Version, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// Commits a new version of the row.
    Commit,
    /// Begins the invalidation. A tick and its reply are one step: a late reply is a late bump.
    Tick,
    /// Begins the whole invalidation again, because a reply didn't come in time.
    TickAgain,
    /// Returns from the invalidation.
    Return,
}

pub(crate) fn moves(tagger: &Tagger, world: &World) -> Vec<Move> {
    match tagger.step {
        Phase::Idle if tagger.writes_left > 0 => vec![Move::Commit],
        Phase::Idle => Vec::new(),
        Phase::Committed => vec![Move::Tick],
        Phase::Dropping { unanswered: [false, false, false], .. } => vec![Move::Return],
        _ if world.faults.timeouts > 0 => vec![Move::TickAgain],
        _ => Vec::new(),
    }
}

/// Returns the latest moment up to which every invalidation has ended.
pub(crate) fn settled(world: &World) -> Moment {
    let under_way = world.taggers.iter().filter_map(Tagger::under_way).min();
    under_way.map_or(world.index.clock, |moment| moment - 1)
}

pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let Some(tagger) = world.taggers.get_mut(usize::from(id)) else { return };
    match what {
        Move::Commit => {
            tagger.writes_left -= 1;
            tagger.step = Phase::Committed;
            if tagger.task == Task::Write {
                world.row += 1;
            }
        }
        Move::Tick | Move::TickAgain => {
            let moment = world.index.tick();
            if what == Move::TickAgain {
                tagger.round += 1;
                world.faults.timeouts -= 1;
            }
            let begun = if let Task::Drop(Some(begun)) = tagger.task { begun } else { world.row };
            let marks = marks_first(tagger.task, world.index.table.has_buckets, without);
            go(
                world,
                id,
                if marks { Phase::Marking { begun, moment, listed: None } } else { Phase::Bumping { begun, moment } },
            );
        }
        Move::Return => {
            let Phase::Dropping { begun, listed, .. } = tagger.step else { return };
            tagger.round += 1;
            tagger.step = Phase::Idle;
            match tagger.task {
                Task::Write => world.floor.tagged = world.floor.tagged.max(begun),
                Task::Drop(_) if without == Some(Part::DropOrder) => {}
                Task::Drop(_) => {
                    tagger.task = Task::Drop(None);
                    world.floor.all = world.floor.all.max(begun);
                }
                Task::Follow(process) => process::invalidated(world, process, without),
                Task::WriteOther => {}
            }
            if listed != Scores::default() {
                world.send(Command::Prune { listed });
            }
        }
    }
}

/// Returns whether the bucket is written before the index is asked. Another tag has no index.
fn marks_first(task: Task, has_buckets: bool, without: Option<Part>) -> bool {
    has_buckets && (without != Some(Part::BucketFirst) || task == Task::WriteOther)
}

pub(crate) fn mark_answered(world: &mut World, id: u8, round: u8) {
    let Some(tagger) = world.taggers.get(usize::from(id)) else { return };
    let Phase::Marking { begun, moment, listed } = tagger.step else { return };
    if tagger.round != round {
        return;
    }
    match (listed, tagger.task) {
        (Some(listed), _) => go(world, id, dropping(begun, moment, listed)),
        // The index of the other tag doesn't exist.
        (None, Task::WriteOther) => go(world, id, dropping(begun, moment, Scores::default())),
        (None, _) => go(world, id, Phase::Bumping { begun, moment }),
    }
}

/// Takes the reply to a bump, if its sender still waits for it. The drops are sent.
pub(crate) fn bump_answered(world: &mut World, id: u8, round: u8, listed: Scores, without: Option<Part>) {
    let Some(tagger) = world.taggers.get(usize::from(id)) else { return };
    let Phase::Bumping { begun, moment } = tagger.step else { return };
    if tagger.round != round {
        return;
    }
    if world.index.table.has_buckets && without == Some(Part::BucketFirst) {
        go(world, id, Phase::Marking { begun, moment, listed: Some(listed) });
    } else {
        go(world, id, dropping(begun, moment, listed));
    }
}

fn dropping(begun: Version, moment: Moment, listed: Scores) -> Phase {
    Phase::Dropping { begun, moment, listed, unanswered: listed.map(|score| score > 0) }
}

/// Begins a phase, and sends its commands.
fn go(world: &mut World, id: u8, step: Phase) {
    let Some(tagger) = world.taggers.get_mut(usize::from(id)) else { return };
    tagger.step = step;
    let round = tagger.round;
    match step {
        Phase::Idle | Phase::Committed => {}
        Phase::Marking { moment, .. } => world.send(Command::Mark { tagger: id, round, moment }),
        Phase::Bumping { moment, .. } => world.send(Command::Bump { tagger: id, round, moment }),
        Phase::Dropping { listed, .. } => {
            for (entry, _) in (0..).zip(listed).filter(|(_, score)| *score > 0) {
                world.send(Command::Drop { tagger: id, round, entry });
            }
        }
    }
}

pub(crate) fn drop_answered(world: &mut World, id: u8, round: u8, entry: u8) {
    if let Some(tagger) = world.taggers.get_mut(usize::from(id))
        && let Phase::Dropping { unanswered, .. } = &mut tagger.step
        && tagger.round == round
    {
        unanswered[usize::from(entry)] = false;
    }
}

pub(crate) fn words(before: &World, id: u8, what: Move, without: Option<Part>) -> String {
    let moment = before.index.clock + 1;
    let task = before.taggers.get(usize::from(id)).map_or(Task::Write, |tagger| tagger.task);
    let marks = marks_first(task, before.index.table.has_buckets, without);
    let other = task == Task::WriteOther;
    let sends = if marks { "writes the bucket" } else { "sends bump" };
    match what {
        Move::Commit if other => "commits another row".to_owned(),
        Move::Commit => format!("commits v{}", before.row + 1),
        Move::Tick if other => format!("begins to invalidate u, whose bucket is t's: tick, {moment}; {sends}"),
        Move::Tick => format!("begins to invalidate t at v{}: tick, {moment}; {sends}", before.row),
        Move::TickAgain => format!("no reply in time; the whole invalidation again: tick, {moment}; {sends}"),
        Move::Return => "its invalidation returns".to_owned(),
    }
}

/// Returns the name of a tagger. Taggers are numbered after the writers that scan.
pub(crate) fn name(before: &World, id: u8) -> String {
    match before.taggers.get(usize::from(id)).map(|tagger| tagger.task) {
        Some(Task::Follow(process)) => process::name(process),
        _ => format!("writer {}", before.writers.len() + usize::from(id) + 1),
    }
}
