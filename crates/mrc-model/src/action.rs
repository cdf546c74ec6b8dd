//! What can happen next, and how it reads in a counterexample.

use crate::part::Part;
use crate::redis::{Claim, Content};
use crate::world::{Command, World};
use crate::{follower, reader, writer};

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Reader(u8, reader::Move),
    Follower(u8),
    Writer(u8, writer::Move),
    /// A command arrives and is executed. `again`: it will arrive once more.
    Arrives {
        command: Command,
        again: bool,
    },
    KGoes,
    LGoes,
    SGoes,
    PeerFills,
}

impl Action {
    /// All that can happen in `world`, always in the same order.
    pub(crate) fn possible(world: &World, refreshes: bool, without: Option<Part>, actions: &mut Vec<Self>) {
        for (id, reader) in (0..).zip(&world.readers) {
            actions.extend(reader.moves(world, refreshes).into_iter().map(|what| Self::Reader(id, what)));
        }
        for (id, writer) in (0..).zip(&world.writers) {
            actions.extend(writer.moves(world, without).into_iter().map(|what| Self::Writer(id, what)));
        }
        let followers = (0..).zip(&world.followers).map(|(id, _)| id);
        actions.extend(followers.filter(|&id| follower::may_join(world, id)).map(Self::Follower));

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
        if world.faults.k_goes > 0 && world.redis.k != Content::Absent {
            actions.push(Self::KGoes);
        }
        if world.faults.l_goes > 0 && world.redis.l.is_some() {
            actions.push(Self::LGoes);
        }
        if world.faults.s_goes > 0 && world.redis.s != Content::Absent {
            actions.push(Self::SGoes);
        }
        if world.faults.peer_fills > 0 {
            actions.push(Self::PeerFills);
        }
    }

    /// Lets it happen.
    pub(crate) fn happen(self, world: &mut World, without: Option<Part>) {
        match self {
            Self::Reader(id, what) => reader::make(world, id, what, without),
            Self::Follower(id) => follower::join(world, id),
            Self::Writer(id, what) => writer::make(world, id, what, without),
            Self::Arrives { command, again } => {
                if again {
                    match command {
                        Command::Claim { .. } => world.faults.repeated_claims -= 1,
                        _ => world.faults.repeats -= 1,
                    }
                } else {
                    world.arrive(command);
                }
                execute(command, world, without);
            }
            Self::KGoes => {
                world.faults.k_goes -= 1;
                world.redis.k = Content::Absent;
            }
            Self::LGoes => {
                world.faults.l_goes -= 1;
                world.redis.l = None;
            }
            Self::SGoes => {
                world.faults.s_goes -= 1;
                world.redis.s = Content::Absent;
            }
            Self::PeerFills => {
                world.faults.peer_fills -= 1;
                world.redis.k = Content::Value(world.row);
            }
        }
        // Of a key that wasn't there all the time, a scan promises nothing.
        for writer in &mut world.writers {
            writer.look(&world.redis, without);
        }
    }

    /// What happens, in words. `before`: the world in which it happens.
    pub(crate) fn words(self, before: &World, without: Option<Part>) -> String {
        match self {
            Self::Reader(id, what) => format!("reader {}: {}", id + 1, reader::words(before, id, what, without)),
            Self::Follower(id) => format!("follower {}: finds no value; joins reader 1's flight", id + 1),
            Self::Writer(id, what) => format!("writer {}: {}", id + 1, writer::words(before, id, what)),
            Self::Arrives { command, again } => {
                let again = if again { " (and will once more)" } else { "" };
                format!("Redis: {}{again}", result(command, before, without))
            }
            Self::KGoes => "Redis: K goes: expired, evicted, or deleted by a peer".to_owned(),
            Self::LGoes => "Redis: L goes: expired or evicted".to_owned(),
            Self::SGoes => "Redis: S goes: expired, evicted, or deleted by a peer".to_owned(),
            Self::PeerFills => format!("a peer: reads v{0} and SETs K to v{0}", before.row),
        }
    }
}

fn execute(command: Command, world: &mut World, without: Option<Part>) {
    match command {
        Command::Claim { attempt, token, refresh, copy } => {
            let reply = world.redis.claim(token, refresh, copy, without);
            reader::claim_answered(world, attempt, reply, without);
        }
        Command::Fill { token, version, copy } => {
            let stored = world.redis.fill(token, version, copy, without);
            reader::fill_answered(world, token, stored);
        }
        Command::Release { token } => {
            world.redis.release(token);
        }
        Command::Unlink { writer, round, keys } => {
            world.redis.unlink(keys);
            writer::unlink_answered(world, writer, round, keys);
        }
    }
}

fn result(command: Command, before: &World, without: Option<Part>) -> String {
    let mut redis = before.redis.clone();
    match command {
        Command::Claim { token, refresh, copy, .. } => {
            let result = match redis.claim(token, refresh, copy, without) {
                Claim::Hit(version) => format!("a hit, v{version}"),
                Claim::Busy => "busy".to_owned(),
                Claim::Granted => "granted".to_owned(),
            };
            format!("claim{} with token {token}: {result}", if refresh { " to refresh" } else { "" })
        }
        Command::Fill { token, version, copy } => {
            let result = if redis.fill(token, version, copy, without) { "stored" } else { "refused" };
            format!("fill v{version} with token {token}: {result}")
        }
        Command::Release { token } => {
            let result = if redis.release(token) { "released" } else { "not ours any more" };
            format!("release with token {token}: {result}")
        }
        Command::Unlink { writer, keys, .. } => format!("writer {}'s UNLINK {keys}", writer + 1),
    }
}
