//! The steps that can happen next, and their words in a counterexample.

use crate::index::Tags;
use crate::part::Part;
use crate::redis::{Claim, Content, Entry, Value};
use crate::setting::Setting;
use crate::world::{Command, World};
use crate::{follower, reader, tagger, writer};

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Reader(u8, reader::Move),
    Follower(u8),
    Writer(u8, writer::Move),
    Tagger(u8, tagger::Move),
    /// A command arrives and is executed. `again`: it will arrive once more.
    Arrives {
        command: Command,
        again: bool,
    },
    /// K of this entry.
    KGoes(u8),
    LGoes(u8),
    SGoes(u8),
    GGoes(u8),
    EpochGoes,
    PeerFills,
}

impl Action {
    /// Appends all that can happen in `world`, always in the same order.
    pub(crate) fn possible(world: &World, setting: &Setting, without: Option<Part>, actions: &mut Vec<Self>) {
        for (id, reader) in (0..).zip(&world.readers) {
            actions.extend(reader.moves(world, setting).into_iter().map(|what| Self::Reader(id, what)));
        }
        for (id, writer) in (0..).zip(&world.writers) {
            actions.extend(writer.moves(world, without).into_iter().map(|what| Self::Writer(id, what)));
        }
        for (id, tagger) in (0..).zip(&world.taggers) {
            actions.extend(tagger.moves(world).into_iter().map(|what| Self::Tagger(id, what)));
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
        let faults = world.faults;
        for (id, entry) in (0..).zip(&world.entries) {
            let goes = [
                (faults.k_goes > 0 && entry.k != Content::Absent, Self::KGoes(id)),
                (faults.l_goes > 0 && entry.l.is_some(), Self::LGoes(id)),
                (faults.s_goes > 0 && entry.s != Content::Absent, Self::SGoes(id)),
                (faults.g_goes > 0 && entry.g != Tags::None, Self::GGoes(id)),
            ];
            actions.extend(goes.into_iter().filter(|(may, _)| *may).map(|(_, action)| action));
        }
        if faults.epoch_goes > 0 && world.index.epoch > 0 {
            actions.push(Self::EpochGoes);
        }
        if faults.peer_fills > 0 {
            actions.push(Self::PeerFills);
        }
    }

    /// Changes `world` by this step.
    pub(crate) fn happen(self, world: &mut World, without: Option<Part>) {
        match self {
            Self::Reader(id, what) => reader::make(world, id, what, without),
            Self::Follower(id) => follower::join(world, id),
            Self::Writer(id, what) => writer::make(world, id, what, without),
            Self::Tagger(id, what) => tagger::make(world, id, what, without),
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
            Self::KGoes(id) => {
                world.faults.k_goes -= 1;
                world.entries[usize::from(id)].k = Content::Absent;
            }
            Self::LGoes(id) => {
                world.faults.l_goes -= 1;
                world.entries[usize::from(id)].l = None;
            }
            Self::SGoes(id) => {
                world.faults.s_goes -= 1;
                world.entries[usize::from(id)].s = Content::Absent;
            }
            Self::GGoes(id) => {
                world.faults.g_goes -= 1;
                world.entries[usize::from(id)].g = Tags::None;
            }
            Self::EpochGoes => {
                world.faults.epoch_goes -= 1;
                world.index.forget();
            }
            Self::PeerFills => {
                world.faults.peer_fills -= 1;
                world.entries[0].k = Content::Value(Value::plain(world.row));
            }
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
            Self::Tagger(id, what) => format!("{}: {}", tagger_name(before, id), tagger::words(before, what)),
            Self::Arrives { command, again } => {
                let again = if again { " (and will once more)" } else { "" };
                format!("Redis: {}{again}", result(command, before, without))
            }
            Self::KGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("K", id)),
            Self::LGoes(id) => format!("Redis: {} goes: expired or evicted", key("L", id)),
            Self::SGoes(id) => format!("Redis: {} goes: expired, evicted, or deleted by a peer", key("S", id)),
            Self::GGoes(id) => format!("Redis: {} goes: expired or evicted", key("G", id)),
            Self::EpochGoes => "Redis: T forgets its epoch".to_owned(),
            Self::PeerFills => format!("a peer: reads v{0} and SETs K to v{0}", before.row),
        }
    }
}

/// Returns the name of a tagger. Taggers are numbered after the writers that scan.
fn tagger_name(before: &World, id: u8) -> String {
    format!("writer {}", before.writers.len() + usize::from(id) + 1)
}

/// Returns the name of a key of an entry.
fn key(key: &str, entry: u8) -> String {
    ["", " of O", " of P"].get(usize::from(entry)).map_or_else(String::new, |of| format!("{key}{of}"))
}

/// Executes the command in Redis, and delivers the reply to its sender.
fn execute(command: Command, world: &mut World, without: Option<Part>) {
    match command {
        Command::Claim { attempt, token, refresh, copy } => {
            let reply = entry(world, token.reader).claim(token, refresh, copy, without);
            reader::claim_answered(world, attempt, reply, without);
        }
        Command::Fill { token, value, tags, copy } => {
            let stored = entry(world, token.reader).fill(token, value, tags, copy, without);
            reader::fill_answered(world, token, stored, without);
        }
        Command::Release { token } => {
            entry(world, token.reader).release(token);
        }
        Command::Unlink { writer, round, keys } => {
            world.entries[0].unlink(keys);
            writer::unlink_answered(world, writer, round, keys);
        }
        Command::Track { token, since } => {
            let entry = world.entry_of(token.reader);
            let score = world.new_score(entry);
            let in_time = world.index.track(entry, score, since, without);
            reader::track_answered(world, token, in_time, without);
        }
        Command::Bump { tagger, round, moment } => {
            let listed = world.index.bump(moment);
            tagger::bump_answered(world, tagger, round, listed);
        }
        Command::Drop { tagger, round, entry } => {
            world.entries[usize::from(entry)].drop_tagged(without);
            tagger::drop_answered(world, tagger, round, entry);
        }
        Command::Prune { listed } => world.index.prune(listed, without),
    }
}

fn entry(world: &mut World, reader: u8) -> &mut Entry {
    let entry = world.entry_of(reader);
    &mut world.entries[usize::from(entry)]
}

fn result(command: Command, before: &World, without: Option<Part>) -> String {
    let mut world = before.clone();
    match command {
        Command::Claim { token, refresh, copy, .. } => {
            let result = match entry(&mut world, token.reader).claim(token, refresh, copy, without) {
                Claim::Hit(value) => format!("a hit, {value}"),
                Claim::Busy => "busy".to_owned(),
                Claim::Granted => "granted".to_owned(),
            };
            format!("claim{} with token {token}: {result}", if refresh { " to refresh" } else { "" })
        }
        Command::Fill { token, value, tags, copy } => {
            let stored = entry(&mut world, token.reader).fill(token, value, tags, copy, without);
            format!("fill {value} with token {token}: {}", if stored { "stored" } else { "refused" })
        }
        Command::Release { token } => {
            let released = entry(&mut world, token.reader).release(token);
            format!("release with token {token}: {}", if released { "released" } else { "not ours any more" })
        }
        Command::Unlink { writer, keys, .. } => format!("writer {}'s UNLINK {keys}", writer + 1),
        Command::Track { token, since } => {
            let in_time = world.index.track(world.entry_of(token.reader), 1, since, without);
            format!("track with token {token}: {}", if in_time { "registered" } else { "too late" })
        }
        Command::Bump { tagger, moment, .. } => {
            let listed = world.index.bump(moment).iter().filter(|score| **score > 0).count();
            format!("{}'s bump to {moment}: {listed} listed", tagger_name(before, tagger))
        }
        Command::Drop { tagger, entry, .. } => {
            let stays = world.entries[usize::from(entry)].drop_tagged(without);
            let what = key("K", entry);
            format!("{}'s drop: {what} {}", tagger_name(before, tagger), if stays { "stays" } else { "is gone" })
        }
        Command::Prune { .. } => "prune".to_owned(),
    }
}
