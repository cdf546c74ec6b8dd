//! The settings and the report of a run.

use std::ops::AddAssign;
use std::time::Duration;

use crate::run::Load;

/// The findings that a report shows in full.
const SHOWN: usize = 5;

/// A part of the follower. Without it, stale entries must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Without {
    /// Invalidates by the schemes of entries.
    Auto,
    /// Invalidates only after readers can see the commit.
    Visibility,
    /// Reads the registry of schemes again after readers can see the commit.
    Schemes,
    /// Invalidates everything of a table whose rows a foreign key may have changed.
    Cascades,
}

impl Without {
    pub(super) fn lack(self) -> Option<mrc_follow::Lack> {
        match self {
            Self::Auto => None,
            Self::Visibility => Some(mrc_follow::Lack::Visibility),
            Self::Schemes => Some(mrc_follow::Lack::Schemes),
            Self::Cascades => Some(mrc_follow::Lack::Cascades),
        }
    }
}

/// The task of a run.
#[derive(Debug, Clone, Copy)]
pub struct FollowSettings {
    /// The entries to compare, at least.
    pub compared: u64,
    /// When the run ends before that.
    pub limit: Duration,
    /// The first seed. Each schema has the next one. Times vary, so a seed needn't repeat a
    /// finding.
    pub seed: u64,
    /// The part of the follower that is switched off.
    pub without: Option<Without>,
    /// Whether the run ends with the first stale entry.
    pub stop_at_stale: bool,
    /// The followers that work at the same time, each with databases.
    pub workers: usize,
    /// The queries and changes.
    pub load: Load,
}

/// The results of a run.
#[derive(Debug, Clone, Default)]
pub struct FollowReport {
    /// The statements that wrote.
    pub statements: u64,
    /// The entries that survived, each compared with a fresh read.
    pub compared: u64,
    /// Those of them that were compared after reads and writes at the same time.
    pub raced: u64,
    /// The survivors that differ from the fresh read.
    pub stale: u64,
    /// The entries whose answer a change of rows left alone.
    pub unaffected: u64,
    /// Those of them that survived.
    pub survived: u64,
    /// As `survived`, if a change ended every entry of its tables.
    pub survived_by_table: u64,
    /// The entries whose answer a change of rows altered.
    pub changed: u64,
    /// The first stale entries.
    pub findings: Vec<String>,
}

impl AddAssign for FollowReport {
    fn add_assign(&mut self, other: Self) {
        self.statements += other.statements;
        self.compared += other.compared;
        self.raced += other.raced;
        self.stale += other.stale;
        self.unaffected += other.unaffected;
        self.survived += other.survived;
        self.survived_by_table += other.survived_by_table;
        self.changed += other.changed;
        self.findings.extend(other.findings);
        self.findings.truncate(SHOWN);
    }
}

impl FollowReport {
    /// Returns the share of the unaffected entries that survive a change: by tags, and by tables.
    pub fn precision(&self) -> (f64, f64) {
        let share = |part: u64| part as f64 / self.unaffected.max(1) as f64;
        (share(self.survived), share(self.survived_by_table))
    }
}
