//! The whole of what a run can be in: Redis, the row, everybody's step, and the commands that are on their way.

use std::iter;

use crate::follower::Follower;
use crate::reader::Reader;
use crate::redis::{Content, Keys, Redis, Token, Version};
use crate::setting::{Faults, Setting};
use crate::writer::Writer;

/// One state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) redis: Redis,
    /// The newest version of the row, committed.
    pub(crate) row: Version,
    /// The row's version at the start of the newest invalidation that has returned. Nobody knows it; the invariant speaks of it.
    pub(crate) floor: Version,
    pub(crate) readers: Vec<Reader>,
    pub(crate) followers: Vec<Follower>,
    /// The first reader's flight can be joined.
    pub(crate) flight_open: bool,
    pub(crate) writers: Vec<Writer>,
    /// Sent and not yet executed, in order of `Command`, not of time: any of them may be next.
    pub(crate) network: Vec<Command>,
    /// A caller got a value older than the floor at the start of its call.
    pub(crate) stale_answer: bool,
    /// What may still go wrong.
    pub(crate) faults: Faults,
}

/// A command that has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Command {
    /// `attempt` tells which of a reader's attempts a reply belongs to.
    Claim {
        attempt: Token,
        token: Token,
        refresh: bool,
        copy: bool,
    },
    Fill {
        token: Token,
        version: Version,
        copy: bool,
    },
    Release {
        token: Token,
    },
    /// `round` tells which of a writer's invalidations a reply belongs to.
    Unlink {
        writer: u8,
        round: u8,
        keys: Keys,
    },
}

impl World {
    /// The states that a run may begin with.
    pub(crate) fn beginnings(setting: &Setting) -> Vec<Self> {
        let ours = setting.writes.iter().map(|&writes| Writer::new(writes, false));
        let peers = setting.peer_writes.iter().map(|&writes| Writer::new(writes, true));
        let cold = Self {
            redis: Redis { k: Content::Absent, l: None, s: Content::Absent },
            row: 0,
            floor: 0,
            readers: (0..setting.readers)
                .map(|id| Reader::new(1 + setting.further_calls, id < setting.copies))
                .collect(),
            followers: vec![Follower::Idle; usize::from(setting.followers)],
            flight_open: false,
            writers: ours.chain(peers).collect(),
            network: Vec::new(),
            stale_answer: false,
            faults: setting.faults,
        };
        let perhaps = |warm: bool| iter::once(Content::Absent).chain(warm.then_some(Content::Value(0)));
        let keys = perhaps(setting.refresh).flat_map(|k| perhaps(setting.copies > 0).map(move |s| (k, s)));
        keys.map(|(k, s)| Self { redis: Redis { k, l: None, s }, ..cold.clone() }).collect()
    }

    pub(crate) fn send(&mut self, command: Command) {
        let at = self.network.partition_point(|other| *other <= command);
        self.network.insert(at, command);
    }

    /// Takes one of the commands that are equal to `command` off the network.
    pub(crate) fn arrive(&mut self, command: Command) {
        if let Some(at) = self.network.iter().position(|other| *other == command) {
            self.network.remove(at);
        }
    }

    /// Nobody has anything left to do.
    pub(crate) fn all_ended(&self) -> bool {
        self.readers.iter().all(Reader::ended)
            && self.writers.iter().all(Writer::ended)
            && !self.followers.iter().any(|follower| matches!(follower, Follower::Following { .. }))
    }
}
