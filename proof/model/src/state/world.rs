//! The whole state of a run: the cache, the row, everybody's step, and the commands on their way.

use crate::setting::{Faults, Setting, Tagging};
use crate::state::{
    Binlog, Command, Content, Entry, Floor, Follower, Index, Position, Primaries, Process, Reader, Score, Table,
    Tagger, Tags, Task, Value, Version, Writer,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The first is computed from the row; each other from the one before it, or on a miss the row.
    pub(crate) entries: [Entry; 3],
    pub(crate) index: Index,
    /// The newest version of the row that readers see.
    pub(crate) row: Version,
    pub(crate) floor: Floor,
    pub(crate) readers: Vec<Reader>,
    pub(crate) followers: Vec<Follower>,
    /// Whether the first reader's flight can be joined.
    pub(crate) flight_open: bool,
    pub(crate) writers: Vec<Writer>,
    pub(crate) taggers: Vec<Tagger>,
    pub(crate) binlog: Binlog,
    /// The followers of the binlog, and their position in Redis.
    pub(crate) processes: Vec<Process>,
    pub(crate) position: Position,
    pub(crate) primaries: Primaries,
    /// The snapshot that Redis may go back to.
    pub(crate) saved: Option<Box<Saved>>,
    /// Commands that were sent and not yet executed, in no order of time. Any may be next.
    pub(crate) network: Vec<Command>,
    /// Whether a caller got a value older than the floor at the start of its call.
    pub(crate) stale_answer: bool,
    /// The faults that may still happen.
    pub(crate) faults: Faults,
}

impl World {
    /// Returns the states that a run may begin with.
    pub(crate) fn beginnings(setting: &Setting) -> Vec<Self> {
        let ours = setting.writes.iter().map(|&writes| Writer::new(writes, false));
        let peers = setting.peer_writes.iter().map(|&writes| Writer::new(writes, true));
        // Each drop has a scan and an index part.
        let index_parts = (setting.tag_writes.len()..).map(|id| u8::try_from(id).unwrap_or(u8::MAX));
        let drops = setting.drops.iter().zip(index_parts).map(|(&writes, index)| Writer::of_drop(writes, index));
        let mut taggers: Vec<_> = setting.tag_writes.iter().map(|&writes| Tagger::new(Task::Write, writes)).collect();
        taggers.extend(setting.drops.iter().map(|_| Tagger::new(Task::Drop(None), 0)));
        taggers.extend(setting.other_writes.iter().map(|&writes| Tagger::new(Task::WriteOther, writes)));
        let before = u8::try_from(taggers.len()).unwrap_or(u8::MAX);
        taggers.extend((0..setting.processes).map(|id| Tagger::new(Task::Follow(id), 0)));
        let processes = (0..setting.processes).map(|id| Process::new(before + id));
        let readers = [(0, setting.readers), (1, setting.outer), (2, setting.outmost)];
        let readers = readers.into_iter().flat_map(|(entry, count)| (0..count).map(move |id| (entry, id)));
        let mut cold = Self {
            entries: [Entry::EMPTY; 3],
            index: Index::new(Table::new(setting.buckets, setting.schemes)),
            row: 0,
            floor: Floor::default(),
            readers: readers
                .map(|(entry, id)| Reader::new(entry, 1 + setting.further_calls, entry == 0 && id < setting.copies))
                .collect(),
            followers: vec![Follower::Idle; usize::from(setting.followers)],
            flight_open: false,
            writers: ours.chain(peers).chain(drops).collect(),
            taggers,
            binlog: Binlog { changes: setting.log.clone(), logged: 0 },
            processes: processes.collect(),
            position: 0,
            primaries: Primaries::ALONE,
            saved: None,
            network: Vec::new(),
            stale_answer: false,
            faults: setting.faults,
        };
        if let Some(first) = cold.readers.first_mut() {
            first.registered = setting.remembered;
        }
        let plain = Content::Value(Value::plain(0));
        let tagged = Content::Value(Value { version: 0, depends: true, tagged: true });
        let perhaps = |warm: bool| {
            let tagged = (warm && !matches!(setting.tags, Tagging::None | Tagging::Inherited)).then_some(tagged);
            [Some(Content::Absent), warm.then_some(plain), tagged].into_iter().flatten()
        };
        let keys = perhaps(setting.refresh || setting.outer > 0)
            .flat_map(|k| {
                perhaps(setting.copies > 0 || (setting.outer > 0 && setting.faults.failed_reads > 0))
                    .map(move |s| (k, s))
            })
            // A fill with tags leaves no copy of a value before it.
            .filter(|&keys| keys != (tagged, plain));
        keys.map(|(k, s)| {
            let mut warm = cold.clone();
            warm.entries[0] = Entry { k, s, ..Entry::EMPTY };
            if k == tagged || s == tagged {
                warm.entries[0].g = Tags::Ours { since: 0 };
                warm.index.scores[0] = 1;
                warm.index.table.scheme = setting.schemes.then_some(0);
            }
            warm
        })
        .flat_map(|warm| {
            Primaries::all(setting.cluster).into_iter().map(move |primaries| Self { primaries, ..warm.clone() })
        })
        .collect()
    }

    /// Returns the entry that a reader reads and fills.
    pub(crate) fn entry_of(&self, reader: u8) -> u8 {
        self.readers.get(usize::from(reader)).map_or(0, |reader| reader.entry)
    }

    /// Returns a score that nobody has listed. In Redis it is a time, which never repeats.
    pub(crate) fn new_score(&self, entry: u8) -> Score {
        let pruned = self.network.iter().filter_map(|command| match command {
            Command::Prune { listed } => Some(*listed),
            _ => None,
        });
        let known = self.taggers.iter().map(Tagger::listed).chain(pruned).chain([self.index.scores]);
        1 + known.map(|scores| scores[usize::from(entry)]).max().unwrap_or(0)
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

    /// Raises the floor to what the position promises: versions that are visible too. In a cluster
    /// it promises nothing until each primary has its copy.
    pub(crate) fn count_position(&mut self) {
        if self.primaries.differ() {
            return;
        }
        let promised = self.binlog.last_of_ours(self.position.min(self.row));
        self.floor.tagged = self.floor.tagged.max(promised);
    }

    /// Returns the keys and the row, in words.
    pub(crate) fn keys(&self, setting: &Setting) -> String {
        let [first, second, third] = &self.entries;
        let Floor { all, tagged } = self.floor;
        if setting.tags == Tagging::None {
            return format!("{first} row=v{} floor=v{all}", self.row);
        }
        let mut entries = format!("{first} G={:<4}", first.g);
        for (name, entry) in [(setting.outer, ("O", second)), (setting.outmost, ("P", third))]
            .into_iter()
            .filter_map(|(readers, entry)| (readers > 0).then_some(entry))
        {
            entries += &format!(" {name}: {entry} G={:<4}", entry.g);
        }
        if self.processes.is_empty() {
            return format!("{entries} {} row=v{} floor=v{all},v{tagged}", self.index, self.row);
        }
        let copies = self.primaries.words(self.position);
        format!("{entries} {} row=v{} {copies} floor=v{tagged}", self.index, self.row)
    }

    /// Returns whether no call, no invalidation and no commit has anything left to do.
    pub(crate) fn all_ended(&self) -> bool {
        self.readers.iter().all(Reader::ended)
            && self.writers.iter().all(Writer::ended)
            && self.taggers.iter().all(Tagger::ended)
            && self.binlog.is_complete()
            && usize::from(self.row) >= self.binlog.changes.len()
            && self.position == self.binlog.logged
            && !self.primaries.differ()
            && self.processes.iter().all(|process| process.is_done(self.binlog.logged))
            && !self.followers.iter().any(|follower| matches!(follower, Follower::Following { .. }))
    }
}

/// A snapshot of a server, or what a replica had received when it was promoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    /// The server, by number.
    pub(crate) primary: u8,
    pub(crate) entries: [Entry; 3],
    pub(crate) index: Index,
    pub(crate) position: Position,
    pub(crate) primaries: Primaries,
    /// The promise is that of the position.
    pub(crate) floor: Floor,
}
