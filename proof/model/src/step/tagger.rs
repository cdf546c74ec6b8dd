//! A writer that invalidates by tag: commit, tick, bump, drop, return; and prune afterwards.

use crate::part::Part;
use crate::state::command::Command;
use crate::state::index::{Moment, Scores};
use crate::state::tagger::{Phase, Tagger};
use crate::state::world::World;

/// Its own moves.
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

/// Returns the moves that it may make next.
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

/// Lets the tagger `id` make a move.
pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let Some(tagger) = world.taggers.get_mut(usize::from(id)) else { return };
    match what {
        Move::Commit => {
            tagger.writes_left -= 1;
            tagger.step = Phase::Committed;
            world.row += 1;
        }
        Move::Tick | Move::TickAgain => {
            let moment = world.index.tick();
            if what == Move::TickAgain {
                tagger.round += 1;
                world.faults.timeouts -= 1;
            }
            tagger.step = Phase::Bumping { begun: tagger.drop.unwrap_or(world.row), moment };
            let round = tagger.round;
            world.send(Command::Bump { tagger: id, round, moment });
        }
        Move::Return => {
            let Phase::Dropping { begun, listed, .. } = tagger.step else { return };
            tagger.round += 1;
            tagger.step = Phase::Idle;
            match tagger.drop.take() {
                Some(_) if without == Some(Part::DropOrder) => {}
                Some(_) => world.floor.all = world.floor.all.max(begun),
                None => world.floor.tagged = world.floor.tagged.max(begun),
            }
            if listed != Scores::default() {
                world.send(Command::Prune { listed });
            }
        }
    }
}

/// Takes the reply to a bump, if its sender still waits for it. The drops are sent.
pub(crate) fn bump_answered(world: &mut World, id: u8, round: u8, listed: Scores) {
    let Some(tagger) = world.taggers.get_mut(usize::from(id)) else { return };
    let Phase::Bumping { begun, moment } = tagger.step else { return };
    if tagger.round != round {
        return;
    }
    tagger.step = Phase::Dropping { begun, moment, listed, unanswered: listed.map(|score| score > 0) };
    for (entry, _) in (0..).zip(listed).filter(|(_, score)| *score > 0) {
        world.send(Command::Drop { tagger: id, round, entry });
    }
}

/// Takes the reply to a drop, if its sender still waits for it.
pub(crate) fn drop_answered(world: &mut World, id: u8, round: u8, entry: u8) {
    if let Some(tagger) = world.taggers.get_mut(usize::from(id))
        && let Phase::Dropping { unanswered, .. } = &mut tagger.step
        && tagger.round == round
    {
        unanswered[usize::from(entry)] = false;
    }
}

/// Returns the tagger's move in words.
pub(crate) fn words(before: &World, what: Move) -> String {
    let moment = before.index.clock + 1;
    match what {
        Move::Commit => format!("commits v{}", before.row + 1),
        Move::Tick => format!("begins to invalidate t at v{}: tick, {moment}; sends bump", before.row),
        Move::TickAgain => format!("no reply in time; the whole invalidation again: tick, {moment}; sends bump"),
        Move::Return => "its invalidation returns".to_owned(),
    }
}

/// Returns the name of a tagger. Taggers are numbered after the writers that scan.
pub(crate) fn name(before: &World, id: u8) -> String {
    format!("writer {}", before.writers.len() + usize::from(id) + 1)
}
