//! Events to transactions: what a commit invalidates, and what readers must see before that.
//!
//! One rule holds everywhere: an event that isn't understood invalidates too much.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::cascades::Cascades;
use crate::event::{DecodeError, Decoder, Event, Flavor, Gtid, Operation, Query, RawEvent, Rows, Table};
use crate::rules::{Effects, Plan, Reason, Rules};
use crate::source::Upto;
use crate::statement::{Statement, Xid};

/// The tables whose plans are kept. Each version of a table has its own number.
const PLANS: usize = 10_000;
/// The prepared transactions of which the effects are kept. Beyond that, a commit invalidates all.
const PREPARED: usize = 1_000;

/// A transaction that has committed.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) gtid: Gtid,
    pub(crate) upto: Upto,
    pub(crate) effects: Effects,
    /// The number of changed rows in followed tables.
    pub(crate) rows: u64,
    /// The time of its statement, in seconds since 1970.
    pub(crate) timestamp: u32,
    /// Whether a statement may have changed foreign keys.
    pub(crate) changed_schema: bool,
}

impl Committed {
    /// Returns the time of the commit since 1970. MariaDB's log has the statement's, in seconds.
    pub(crate) fn time(&self) -> Duration {
        match self.gtid {
            Gtid::MySql { committed_micros: Some(micros), .. } => Duration::from_micros(micros),
            _ => Duration::from_secs(self.timestamp.into()),
        }
    }
}

/// Assembles the transactions of one stream.
#[derive(Debug)]
pub(crate) struct Assembler {
    decoder: Decoder,
    flavor: Flavor,
    rules: Arc<Rules>,
    cascades: Arc<Cascades>,
    plans: HashMap<u64, (Arc<Table>, Plan)>,
    /// The current file of the log, and whether the stream has described its format.
    file: String,
    is_described: bool,
    open: Open,
    prepared: HashMap<Xid, Effects>,
    ignores_cascades: bool,
}

/// The transaction whose events come.
#[derive(Debug, Default)]
struct Open {
    gtid: Option<Gtid>,
    effects: Effects,
    rows: u64,
    /// Tables that were described and had no rows so far.
    without_rows: Vec<Arc<Table>>,
    /// Whether there was a `BEGIN`: other statements don't end the transaction.
    has_begun: bool,
    changed_schema: bool,
}

/// Whether an event ends its transaction.
enum Step {
    Goes,
    Ends,
}

impl Assembler {
    pub(crate) fn new(flavor: Flavor, rules: Arc<Rules>, cascades: Arc<Cascades>) -> Self {
        Self {
            decoder: Decoder::new(flavor),
            flavor,
            rules,
            cascades,
            plans: HashMap::new(),
            file: String::new(),
            is_described: false,
            open: Open::default(),
            prepared: HashMap::new(),
            ignores_cascades: false,
        }
    }

    /// Ignores tables without rows, for the proofs alone.
    pub(crate) fn ignore_cascades(&mut self) {
        self.ignores_cascades = true;
        self.cascades = Arc::default();
    }

    /// Takes the next event. Returns the transaction that it ends.
    pub(crate) fn push(&mut self, raw: RawEvent<'_>) -> Option<Committed> {
        match self.step(raw) {
            Step::Goes => None,
            Step::Ends => self.end(raw.log_pos.into(), raw.timestamp),
        }
    }

    /// An event was so strange that decoding it panicked.
    pub(crate) fn panicked(&mut self) {
        self.open.effects.mark_everything(Reason::Other("an event can't be decoded".into()));
    }

    fn step(&mut self, raw: RawEvent<'_>) -> Step {
        match self.decoder.decode(raw) {
            Ok(event) => self.take(event),
            Err(error) => {
                self.unreadable(&error);
                Step::Goes
            }
        }
    }

    fn take(&mut self, event: Event<'_>) -> Step {
        match event {
            Event::Gtid(gtid) => {
                // The effects of a transaction without an end stay for the next one.
                self.open.gtid = Some(gtid);
                self.open.has_begun = false;
                Step::Goes
            }
            Event::Query(query) => self.statement(&query),
            Event::TableMap(table) => {
                if !self.plan(&table).is_ignored() && !self.open.without_rows.contains(&table) {
                    self.open.without_rows.push(table);
                }
                Step::Goes
            }
            Event::Rows(rows) => {
                self.rows(&rows);
                Step::Goes
            }
            Event::Xid(_) => Step::Ends,
            Event::XaPrepare(branch) => {
                if !branch.one_phase {
                    self.prepare(Xid::from(&branch));
                }
                Step::Ends
            }
            Event::Payload(payload) => self.payload(&payload),
            Event::Rotate { file, .. } => {
                // MariaDB's first one of a stream ends in a checksum, though none is announced yet.
                let checksum = if self.flavor == Flavor::MariaDb && !self.is_described { 4 } else { 0 };
                let name = file.get(..file.len().saturating_sub(checksum)).unwrap_or(file);
                self.file = String::from_utf8_lossy(name).into_owned();
                Step::Goes
            }
            Event::FormatDescription { .. } => {
                self.is_described = true;
                Step::Goes
            }
            Event::Unknown { kind, ignorable: false } => {
                self.open.effects.mark_everything(Reason::Other(format!("an event of type {kind} isn't known")));
                Step::Goes
            }
            _ => Step::Goes,
        }
    }

    fn payload(&mut self, payload: &crate::event::Payload<'_>) -> Step {
        let mut step = Step::Goes;
        match payload.events() {
            Ok(events) => {
                for event in events {
                    match event {
                        Ok(event) => step = self.step(event.as_raw()),
                        Err(error) => {
                            self.unreadable(&error);
                            // Its end is lost too.
                            step = Step::Ends;
                        }
                    }
                }
            }
            Err(error) => {
                self.unreadable(&error);
                step = Step::Ends;
            }
        }
        step
    }

    fn rows(&mut self, rows: &Rows<'_>) {
        let Some(table) = rows.table() else {
            self.open.effects.mark_everything(Reason::Other("rows of a table that no event describes".into()));
            return;
        };
        self.open.without_rows.retain(|described| described.id != table.id);
        if rows.operation() != Operation::Insert {
            for child in self.cascades.of(&table.schema, &table.name) {
                self.rules.mark_whole(&child.schema, &child.name, &cascaded(), &mut self.open.effects);
            }
        }
        self.remember(table);
        let Some((_, plan)) = self.plans.get(&table.id) else { return };
        if plan.is_ignored() {
            return;
        }
        for change in rows.changes(plan.wanted()) {
            match change {
                Ok(change) => {
                    self.open.rows += 1;
                    plan.apply(&change, &mut self.open.effects);
                }
                Err(error) => {
                    let reason = Reason::Other(error.to_string());
                    self.rules.mark_whole(&table.schema, &table.name, &reason, &mut self.open.effects);
                }
            }
        }
    }

    fn statement(&mut self, query: &Query<'_>) -> Step {
        let statement = Statement::read(&query.text);
        let schema = String::from_utf8_lossy(query.schema);
        match &statement {
            Statement::Begin | Statement::XaStart(_) => {
                self.open.has_begun = true;
                return Step::Goes;
            }
            Statement::Commit | Statement::Rollback => return Step::Ends,
            Statement::XaPrepare(name) => {
                self.prepare(name.clone());
                return Step::Ends;
            }
            Statement::XaCommit(name) => {
                match self.prepared.remove(name) {
                    Some(effects) => self.open.effects.merge(effects),
                    None => {
                        let reason = "a prepared transaction commits whose rows were read by an earlier run";
                        self.open.effects.mark_everything(Reason::Other(reason.into()));
                    }
                }
                return Step::Ends;
            }
            Statement::XaRollback(name) => {
                self.prepared.remove(name);
                return Step::Ends;
            }
            statement => {
                self.open.changed_schema |= may_change_foreign_keys(&query.text);
                self.rules.apply_statement(statement, &schema, &mut self.open.effects);
            }
        }
        let is_alone = match self.open.gtid {
            Some(Gtid::MariaDb { standalone, .. }) => standalone,
            _ => !self.open.has_begun,
        };
        if is_alone { Step::Ends } else { Step::Goes }
    }

    /// Keeps the effects of a prepared transaction for its commit.
    fn prepare(&mut self, name: Xid) {
        let mut effects = std::mem::take(&mut self.open.effects);
        self.mark_without_rows(&mut effects);
        // A commit whose effects aren't kept invalidates everything.
        if self.prepared.len() < PREPARED {
            self.prepared.insert(name, effects);
        }
    }

    fn end(&mut self, log_pos: u64, timestamp: u32) -> Option<Committed> {
        let mut open = std::mem::take(&mut self.open);
        let Some(gtid) = open.gtid.take() else {
            // Nothing says which transaction this is, so the next one takes its effects along.
            self.open = open;
            return None;
        };
        for table in std::mem::take(&mut open.without_rows) {
            self.mark_cascade(&table, &mut open.effects);
        }
        let upto = Upto::of(&gtid, &self.file, log_pos);
        Some(Committed {
            gtid,
            upto,
            effects: open.effects,
            rows: open.rows,
            timestamp,
            changed_schema: open.changed_schema,
        })
    }

    fn mark_without_rows(&mut self, effects: &mut Effects) {
        for table in std::mem::take(&mut self.open.without_rows) {
            self.mark_cascade(&table, effects);
        }
    }

    /// A described table without rows: a foreign key may have changed rows that the log doesn't
    /// have.
    fn mark_cascade(&self, table: &Table, effects: &mut Effects) {
        if self.ignores_cascades {
            return;
        }
        self.rules.mark_whole(&table.schema, &table.name, &cascaded(), effects);
    }

    fn unreadable(&mut self, error: &DecodeError) {
        let reason = Reason::Other(error.to_string());
        match error.table() {
            Some((schema, table)) => self.rules.mark_whole(schema, table, &reason, &mut self.open.effects),
            None => self.open.effects.mark_everything(reason),
        }
    }

    fn plan(&mut self, table: &Arc<Table>) -> &Plan {
        self.remember(table);
        // `remember` has inserted it.
        &self.plans[&table.id].1
    }

    /// Makes the plan of a table, unless it is known. A server that restarts gives the numbers of
    /// its tables anew.
    fn remember(&mut self, table: &Arc<Table>) {
        let known = self.plans.get(&table.id).is_some_and(|(known, _)| Arc::ptr_eq(known, table) || known == table);
        if !known {
            if self.plans.len() >= PLANS {
                self.plans.clear();
            }
            let plan = self.rules.plan(table);
            self.plans.insert(table.id, (Arc::clone(table), plan));
        }
    }
}

/// Returns whether a statement may add a foreign key, or rename one of its tables.
fn may_change_foreign_keys(text: &[u8]) -> bool {
    let text = text.to_ascii_uppercase();
    ["REFERENCES", "RENAME"].iter().any(|word| text.windows(word.len()).any(|part| part == word.as_bytes()))
}

fn cascaded() -> Reason {
    Reason::Other("a foreign key may have changed rows that the log doesn't have".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rule, TableName};

    fn assembler() -> Assembler {
        let rules = Rules::new([Rule::table("shop.orders").all("orders").tag("order:{id}")]).unwrap();
        Assembler::new(Flavor::MySql, Arc::new(rules), Arc::default())
    }

    fn push(assembler: &mut Assembler, kind: u8, flags: u16, body: &[u8]) -> Option<Committed> {
        assembler.push(RawEvent { kind, timestamp: 1, server_id: 1, log_pos: 100, flags, body })
    }

    fn begin(assembler: &mut Assembler, number: u8) {
        let body = [&[0; 17][..], &u64::from(number).to_le_bytes()].concat();
        assert!(push(assembler, GTID, 0, &body).is_none());
    }

    fn query(text: &str) -> Vec<u8> {
        [&[0; 8][..], &[4, 0, 0, 0, 0], b"shop\0", text.as_bytes()].concat()
    }

    const GTID: u8 = 0x21;
    const QUERY: u8 = 2;
    const XID: u8 = 0x10;
    const PAYLOAD: u8 = 0x28;

    #[test]
    fn events_that_are_not_understood_invalidate_everything() {
        let check = |kind: u8, flags: u16, body: &[u8], everything: bool| {
            let mut it = assembler();
            begin(&mut it, 1);
            let ended = push(&mut it, kind, flags, body).or_else(|| push(&mut it, XID, 0, &[0; 8])).unwrap();
            assert_eq!(ended.effects.everything().is_some(), everything, "{kind:#x} {:?}", ended.effects);
        };
        check(0x7f, 0, b"", true);
        check(0x7f, 0x80, b"", false);
        check(0x1a, 0, &[1, 0, 0], true);
        check(PAYLOAD, 0, b"no payload", true);
        // A payload of zstd, whose bytes are none.
        check(PAYLOAD, 0, &[1, 1, 4, 2, 1, 0, 3, 1, 9, 0, 1, 2, 3, 4], true);
        check(QUERY, 0, &query("CALL a_procedure()"), true);
        check(QUERY, 0, &query("BEGIN"), false);
    }

    #[test]
    fn a_panic_in_decoding_invalidates_everything_of_its_transaction() {
        let mut it = assembler();
        begin(&mut it, 1);
        it.panicked();
        assert!(push(&mut it, XID, 0, &[0; 8]).unwrap().effects.everything().is_some());
        begin(&mut it, 2);
        assert!(push(&mut it, XID, 0, &[0; 8]).unwrap().effects.is_empty());
    }

    #[test]
    fn statements_end_transactions_that_did_not_begin() {
        let mut it = assembler();
        begin(&mut it, 1);
        let ended = push(&mut it, QUERY, 0, &query("TRUNCATE orders")).unwrap();
        assert_eq!(
            ended.effects.whole().map(|(table, _)| table.clone()).collect::<Vec<_>>(),
            [TableName::new("shop", "orders")]
        );
        begin(&mut it, 2);
        assert!(push(&mut it, QUERY, 0, &query("BEGIN")).is_none());
        assert!(push(&mut it, QUERY, 0, &query("CREATE TABLE t (id INT) START TRANSACTION")).is_none());
        let ended = push(&mut it, QUERY, 0, &query("COMMIT")).unwrap();
        assert!(matches!(ended.gtid, Gtid::MySql { number: 2, .. }));
    }

    #[test]
    fn a_transaction_without_its_number_counts_with_the_next() {
        let mut it = assembler();
        assert!(push(&mut it, QUERY, 0, &query("TRUNCATE orders")).is_none());
        begin(&mut it, 2);
        assert_eq!(push(&mut it, XID, 0, &[0; 8]).unwrap().effects.whole().len(), 1);
    }
}
