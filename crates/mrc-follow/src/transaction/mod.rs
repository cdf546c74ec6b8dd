//! Events to transactions: what a commit invalidates, and what readers must see before that.
//!
//! One rule holds everywhere: an event that isn't understood invalidates too much.

mod followed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use self::followed::{Followed, TablePlan};
use crate::auto::Book;
use crate::cascades::Cascades;
use crate::event::{DecodeError, Decoder, Event, Flavor, Gtid, Query, RawEvent, Rows, Table};
use crate::rules::{Effects, Reason, Rules};
use crate::source::Upto;
use crate::statement::{Statement, Xid};

/// The tables whose plans are kept. Each version of a table has its own number.
const PLANS: usize = 10_000;
/// The prepared transactions of which the effects are kept. Beyond that, a commit invalidates all.
const PREPARED: usize = 1_000;

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
    /// Whether a statement may have changed the tables of a view.
    pub(crate) has_statement: bool,
    /// Whether anything may have changed, followed or not.
    pub(crate) is_touched: bool,
    /// The generation of schemes with which its oldest event was decoded.
    pub(crate) generation: u64,
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
    followed: Followed,
    cascades: Arc<Cascades>,
    plans: HashMap<u64, TablePlan>,
    /// The current file of the log, and whether the stream has described its format.
    file: String,
    is_described: bool,
    open: Open,
    /// The effects of prepared transactions, which may commit, and the generation of each.
    prepared: HashMap<Xid, (Effects, u64)>,
    ignores_cascades: bool,
}

/// The transaction whose events come.
#[derive(Debug, Default)]
struct Open {
    gtid: Option<Gtid>,
    effects: Effects,
    rows: u64,
    /// The followed tables that the current statement has described.
    described: Vec<Described>,
    /// Whether there was a `BEGIN`: other statements don't end the transaction.
    has_begun: bool,
    changed_schema: bool,
    has_statement: bool,
    is_touched: bool,
    generation: u64,
}

#[derive(Debug)]
struct Described {
    table: Arc<Table>,
    has_rows: bool,
}

/// Whether an event ends its transaction.
enum Step {
    Goes,
    Ends,
}

impl Assembler {
    /// Creates an assembler. `book` has the schemes, with `auto`.
    pub(crate) fn new(flavor: Flavor, rules: Arc<Rules>, cascades: Arc<Cascades>, book: Option<Arc<Book>>) -> Self {
        Self {
            decoder: Decoder::new(flavor),
            flavor,
            followed: Followed::new(flavor, rules, book),
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
        self.mark_everything("an event can't be decoded");
    }

    fn step(&mut self, raw: RawEvent<'_>) -> Step {
        match self.decoder.decode(raw) {
            Ok(event) => self.take(event),
            Err(error) => {
                self.unreadable(&error);
                // It may have been the last of its statement.
                self.mark_without_rows();
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
                self.renew();
            }
            Event::Query(query) => return self.statement(&query),
            Event::TableMap(table) => {
                self.open.is_touched = true;
                let is_new = !self.open.described.iter().any(|described| described.table == table);
                self.remember(&table);
                if is_new && !self.plans[&table.id].is_ignored() {
                    self.open.described.push(Described { table, has_rows: false });
                }
            }
            Event::Rows(rows) => {
                self.rows(&rows);
                if rows.is_last_of_statement() {
                    self.end_statement();
                }
            }
            Event::Xid(_) => return Step::Ends,
            Event::XaPrepare(branch) => {
                if !branch.one_phase {
                    self.prepare(Xid::from(&branch));
                }
                return Step::Ends;
            }
            Event::Payload(payload) => return self.payload(&payload),
            Event::Rotate { file, .. } => {
                // MariaDB's first one of a stream ends in a checksum, though none is announced yet.
                let checksum = if self.flavor == Flavor::MariaDb && !self.is_described { 4 } else { 0 };
                let name = file.get(..file.len().saturating_sub(checksum)).unwrap_or(file);
                self.file = String::from_utf8_lossy(name).into_owned();
            }
            Event::FormatDescription { .. } => self.is_described = true,
            Event::Unknown { kind, ignorable: false } => {
                self.mark_everything(&format!("an event of type {kind} isn't known"));
            }
            _ => {}
        }
        Step::Goes
    }

    fn payload(&mut self, payload: &crate::event::Payload<'_>) -> Step {
        let events = match payload.events() {
            Ok(events) => events,
            Err(error) => {
                self.unreadable(&error);
                return Step::Ends;
            }
        };
        let mut step = Step::Goes;
        for event in events {
            step = match event {
                Ok(event) => self.step(event.as_raw()),
                Err(error) => {
                    self.unreadable(&error);
                    // Its end is lost too.
                    Step::Ends
                }
            };
        }
        step
    }

    fn rows(&mut self, rows: &Rows<'_>) {
        self.open.is_touched = true;
        let Some(table) = rows.table() else {
            self.mark_everything("rows of a table that no event describes");
            return;
        };
        for described in self.open.described.iter_mut().filter(|described| described.table.id == table.id) {
            described.has_rows = true;
        }
        for child in self.cascades.of(&table.schema, &table.name, rows.operation()) {
            self.followed.mark_whole(&child.schema, &child.name, &cascaded(), &mut self.open.effects);
        }
        self.remember(table);
        let Some(plan) = self.plans.get(&table.id) else { return };
        if plan.is_ignored() {
            return;
        }
        for change in rows.changes(&plan.wanted) {
            match change {
                Ok(change) => {
                    self.open.rows += 1;
                    plan.apply(&change, &mut self.open.effects);
                }
                Err(error) => {
                    let reason = Reason::Other(error.to_string());
                    self.followed.mark_whole(&table.schema, &table.name, &reason, &mut self.open.effects);
                }
            }
        }
    }

    /// The rows of a statement end, so a table without rows gets none. The next statement may have
    /// rows of the same table.
    fn end_statement(&mut self) {
        self.mark_without_rows();
        self.open.described.clear();
    }

    /// Marks the described tables without rows: a foreign key may have changed some of theirs.
    fn mark_without_rows(&mut self) {
        if self.ignores_cascades {
            return;
        }
        for Described { table, .. } in self.open.described.iter().filter(|described| !described.has_rows) {
            self.followed.mark_whole(&table.schema, &table.name, &cascaded(), &mut self.open.effects);
        }
    }

    fn statement(&mut self, query: &Query<'_>) -> Step {
        self.end_statement();
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
                self.open.is_touched = true;
                match self.prepared.remove(name) {
                    Some((effects, generation)) => {
                        self.open.effects.merge(effects);
                        self.open.generation = self.open.generation.min(generation);
                    }
                    None => {
                        self.mark_everything("a prepared transaction commits whose rows were read by an earlier run");
                    }
                }
                return Step::Ends;
            }
            Statement::XaRollback(name) => {
                self.prepared.remove(name);
                return Step::Ends;
            }
            statement => {
                self.open.has_statement |= !matches!(statement, Statement::Harmless | Statement::Savepoint);
                self.open.is_touched |= self.open.has_statement;
                self.open.changed_schema |= may_change_foreign_keys(&query.text);
                self.followed.apply_statement(statement, &schema, &mut self.open.effects);
                if let Statement::Touches { names, changes_rows: false } = statement {
                    for child in self.cascades.of_ddl(names, &schema) {
                        self.followed.mark_whole(&child.schema, &child.name, &cascaded(), &mut self.open.effects);
                    }
                }
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
        self.end_statement();
        let effects = std::mem::take(&mut self.open.effects);
        self.open.is_touched = false;
        let generation = self.open.generation;
        // A commit whose effects aren't kept invalidates everything.
        if self.prepared.len() < PREPARED {
            self.prepared.insert(name, (effects, generation));
        }
    }

    fn end(&mut self, log_pos: u64, timestamp: u32) -> Option<Committed> {
        self.end_statement();
        let mut open = std::mem::take(&mut self.open);
        let Some(gtid) = open.gtid.take() else {
            // Nothing says which transaction this is, so the next one takes its effects along.
            self.open = open;
            return None;
        };
        let upto = Upto::of(&gtid, &self.file, log_pos);
        Some(Committed {
            gtid,
            upto,
            effects: open.effects,
            rows: open.rows,
            timestamp,
            changed_schema: open.changed_schema,
            has_statement: open.has_statement,
            is_touched: open.is_touched,
            generation: open.generation,
        })
    }

    fn mark_everything(&mut self, why: &str) {
        self.open.is_touched = true;
        self.open.effects.mark_everything(Reason::Other(why.into()));
    }

    fn unreadable(&mut self, error: &DecodeError) {
        self.open.is_touched = true;
        let reason = Reason::Other(error.to_string());
        match error.table() {
            Some((schema, table)) => self.followed.mark_whole(schema, table, &reason, &mut self.open.effects),
            None => self.open.effects.mark_everything(reason),
        }
    }

    /// Takes the newest schemes, unless events were decoded with the ones before.
    fn renew(&mut self) {
        if self.open.is_touched {
            return;
        }
        if self.followed.renew() {
            self.plans.clear();
        }
        self.open.generation = self.followed.known.generation;
    }

    /// Makes the plan of a table, unless it is known. A server's restart changes table numbers.
    fn remember(&mut self, table: &Arc<Table>) {
        let is_it = |plan: &TablePlan| Arc::ptr_eq(&plan.table, table) || plan.table == *table;
        if !self.plans.get(&table.id).is_some_and(is_it) {
            if self.plans.len() >= PLANS {
                self.plans.clear();
            }
            self.plans.insert(table.id, self.followed.plan(table));
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
mod tests;
