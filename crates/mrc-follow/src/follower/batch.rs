//! Several transactions, to be applied at once.

use std::time::{Duration, SystemTime};

use super::reader::Waiting;
use crate::event::Gtid;
use crate::position::{Position, Source};
use crate::rules::Effects;
use crate::source::Upto;
use crate::transaction::Committed;

/// The most transactions of a batch. Each batch waits for visibility once.
const MOST: u64 = 4_096;

/// Transactions in the order of the log.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) effects: Effects,
    pub(super) upto: Upto,
    pub(super) transactions: u64,
    pub(super) rows: u64,
    pub(super) changed_schema: bool,
    /// Whether anything may have changed, followed or not.
    pub(super) is_touched: bool,
    /// The generation of schemes with which the oldest transaction was decoded.
    pub(super) generation: u64,
    gtids: Vec<Gtid>,
    /// The time of the newest commit since 1970.
    committed: Duration,
}

impl Batch {
    pub(super) fn new(first: Waiting) -> Self {
        let committed = first.committed.time();
        let Committed { gtid, upto, effects, rows, changed_schema, is_touched, generation, .. } = first.committed;
        let (transactions, gtids) = (1, vec![gtid]);
        Self { effects, upto, transactions, rows, changed_schema, is_touched, generation, gtids, committed }
    }

    pub(super) fn is_full(&self) -> bool {
        // The rows behind a change of the schema may be read by other foreign keys.
        self.transactions >= MOST || self.effects.is_full() || self.changed_schema
    }

    pub(super) fn add(&mut self, next: Waiting) {
        self.committed = next.committed.time();
        let Committed { gtid, upto, effects, rows, changed_schema, is_touched, generation, .. } = next.committed;
        self.changed_schema |= changed_schema;
        self.is_touched |= is_touched;
        self.generation = self.generation.min(generation);
        self.effects.merge(effects);
        self.upto.and(upto);
        self.transactions += 1;
        self.rows += rows;
        self.gtids.push(gtid);
    }

    /// Adds the transactions to a position.
    pub(super) fn pass(&mut self, position: &mut Position) {
        for gtid in self.gtids.drain(..) {
            match (&mut *position, gtid) {
                (Position::MySql(set), Gtid::MySql { uuid, tag, number, .. }) => set.add(Source { uuid, tag }, number),
                (Position::MariaDb(domains), Gtid::MariaDb { domain, server, sequence, .. }) => {
                    domains.insert(domain, (server, sequence));
                }
                _ => {}
            }
        }
    }

    /// Returns the time since the newest commit.
    pub(super) fn lag(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.committed)
    }
}
