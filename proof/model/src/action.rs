//! The steps that can happen next, and their words in a counterexample.

use crate::part::Part;
use crate::setting::Setting;
use crate::state::{Command, World};
use crate::step::fault::{self, Fault};
use crate::step::{arrival, binlog, calls, process, reader, tagger, writer};

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Reader(u8, reader::Move),
    Follower(u8),
    Writer(u8, writer::Move),
    Tagger(u8, tagger::Move),
    Binlog(binlog::Move),
    Process(u8, process::Move),
    // A command arrives and is executed. `again`: it will arrive once more.
    Arrives { command: Command, again: bool },
    Fault(Fault),
}

impl Action {
    /// Appends all that can happen in `world`, always in the same order.
    pub(crate) fn possible(world: &World, setting: &Setting, without: Option<Part>, actions: &mut Vec<Self>) {
        for (id, one) in (0..).zip(&world.readers) {
            actions.extend(reader::moves(one, world, setting).into_iter().map(|what| Self::Reader(id, what)));
        }
        for (id, one) in (0..).zip(&world.writers) {
            actions.extend(writer::moves(one, world, without).into_iter().map(|what| Self::Writer(id, what)));
        }
        for (id, one) in (0..).zip(&world.taggers) {
            actions.extend(tagger::moves(one, world).into_iter().map(|what| Self::Tagger(id, what)));
        }
        actions.extend(binlog::moves(world).into_iter().map(Self::Binlog));
        for (id, one) in (0..).zip(&world.processes) {
            actions.extend(process::moves(one, world, without).into_iter().map(|what| Self::Process(id, what)));
        }
        let followers = (0..).zip(&world.followers).map(|(id, _)| id);
        actions.extend(followers.filter(|&id| calls::may_join(world, id)).map(Self::Follower));

        let mut last = None;
        for &command in world.network.iter().filter(|&&command| last.replace(command) != Some(command)) {
            actions.push(Self::Arrives { command, again: false });
            let repeats = match command {
                Command::Claim { .. } => world.faults.repeated_claims,
                _ => world.faults.repeats,
            };
            if repeats > 0 {
                actions.push(Self::Arrives { command, again: true });
            }
        }
        actions.extend(fault::possible(world, without).into_iter().map(Self::Fault));
    }

    /// Changes `world` by this step.
    pub(crate) fn happen(self, world: &mut World, without: Option<Part>) {
        match self {
            Self::Reader(id, what) => reader::make(world, id, what, without),
            Self::Follower(id) => calls::join(world, id),
            Self::Writer(id, what) => writer::make(world, id, what, without),
            Self::Tagger(id, what) => tagger::make(world, id, what, without),
            Self::Binlog(what) => binlog::make(world, what),
            Self::Process(id, what) => process::make(world, id, what, without),
            Self::Arrives { command, again } => {
                if again {
                    match command {
                        Command::Claim { .. } => world.faults.repeated_claims -= 1,
                        _ => world.faults.repeats -= 1,
                    }
                } else {
                    world.arrive(command);
                }
                arrival::execute(command, world, without);
            }
            Self::Fault(fault) => fault::happen(world, fault, without),
        }
        // SCAN promises nothing about a key that wasn't there all the time.
        for writer in &mut world.writers {
            writer.look(&world.entries[0], without);
        }
    }

    /// Returns the step in words. `before` is the world in which it happens.
    pub(crate) fn words(self, before: &World, without: Option<Part>) -> String {
        match self {
            Self::Reader(id, what) => format!("reader {}: {}", id + 1, reader::words(before, id, what, without)),
            Self::Follower(id) => format!("follower {}: finds no value; joins reader 1's flight", id + 1),
            Self::Writer(id, what) => format!("writer {}: {}", id + 1, writer::words(before, id, what, without)),
            Self::Tagger(id, what) => {
                format!("{}: {}", tagger::name(before, id), tagger::words(before, id, what, without))
            }
            Self::Binlog(what) => format!("the database: {}", binlog::words(before, what)),
            Self::Process(id, what) => format!("{}: {}", process::name(id), process::words(before, id, what, without)),
            Self::Arrives { command, again } => {
                let again = if again { " (and will once more)" } else { "" };
                format!("Redis: {}{again}", arrival::words(command, before, without))
            }
            Self::Fault(fault) => fault::words(before, fault),
        }
    }
}
