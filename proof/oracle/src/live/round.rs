//! One schema: a client fills entries, a program writes, the follower passes it, and each entry
//! that is left is compared with a fresh read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join, join3};
use futures_util::{StreamExt, stream};
use mrc_client::{Answer, MrcClient};
use mrc_core::depends::derive;
use mrc_core::statement::depends_on_clock;
use mrc_tests::Database;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;

use super::following::Following;
use super::task::FollowReport;
use super::writer::{Writer, Written};
use crate::Res;
use crate::query::Query;
use crate::realistic;
use crate::run::Load;
use crate::schema::{Schema, first_rows};
use crate::server::{Collations, MODE, batch};

const TTL: Duration = Duration::from_secs(3_600);
/// The entries of one schema, and how often it is written to.
const ENTRIES: usize = 50;
const REALISTIC_ENTRIES: usize = 400;
const STEPS: usize = 30;
/// The entries that are new in a step with readers.
const NEW: usize = 8;
/// The calls at the same time.
const AT_ONCE: usize = 16;

/// The rows of an answer, sorted. `None`: there is no entry, or the database refuses the query.
type Rows = Option<Vec<String>>;

struct Entry {
    query: Query,
    key: String,
    tables: BTreeSet<String>,
}

/// One schema with its entries.
pub(super) struct Round<'a> {
    following: &'a Following,
    database: Database,
    conns: [Conn; 2],
    client: MrcClient,
    collations: &'static Collations,
    schema: Schema,
    seed: u64,
    rng: SmallRng,
    load: Load,
    entries: Vec<Entry>,
    /// Whether rows of a table change those of another one.
    has_foreign_keys: bool,
    history: Vec<String>,
    report: FollowReport,
}

impl<'a> Round<'a> {
    pub(super) async fn open(following: &'a Following, seed: u64, load: Load) -> Res<Self> {
        let database = Database::logged().await;
        let mut conns = [database.admin().await, database.admin().await];
        for conn in &mut conns {
            conn.query_drop(MODE).await?;
        }
        let collations = Collations::ask(&mut conns[0]).await?;
        let mut rng = SmallRng::seed_from_u64(seed);
        let schema = if load == Load::Realistic { realistic::schema() } else { Schema::random(&mut rng) };
        let client = following.client(&database)?;
        let mut round = Self {
            following,
            database,
            conns,
            client,
            collations,
            schema,
            seed,
            rng,
            load,
            entries: Vec::new(),
            has_foreign_keys: false,
            history: Vec::new(),
            report: FollowReport::default(),
        };
        round.create().await?;
        Ok(round)
    }

    async fn create(&mut self) -> Res<()> {
        let ddl = self.schema.ddl(&self.collations.exist);
        batch(&mut self.conns[0], &ddl).await?;
        self.history = ddl;
        let mut first = Vec::new();
        if self.load == Load::Realistic {
            first = realistic::first_rows(&mut self.rng);
        } else {
            let (links, views) = (self.rng.random_bool(0.3), self.rng.random_range(0..3));
            let mut schema = self.schema.clone();
            let mut writer = self.writer();
            let has_foreign_keys = links && writer.foreign_key(&schema).await;
            for _ in 0..views {
                writer.view(&mut schema).await;
            }
            let written = writer.written;
            self.took(written);
            (self.schema, self.has_foreign_keys) = (schema, has_foreign_keys);
            first.push("SET foreign_key_checks = 0".into());
            first.extend(first_rows(&self.schema, &mut self.rng));
            first.push("SET foreign_key_checks = 1".into());
        }
        batch(&mut self.conns[0], &first).await?;
        self.history.extend(first);
        Ok(())
    }

    /// Sends a report of each step. Returns `false` if nobody wants them any more.
    pub(super) async fn run(mut self, reports: &mpsc::Sender<FollowReport>) -> Res<bool> {
        for _ in 0..STEPS {
            self.refill().await?;
            match self.rng.random_range(0..10) {
                _ if self.load == Load::Realistic => self.quiet_step().await?,
                0..6 => self.quiet_step().await?,
                6..9 => self.racing_step().await?,
                _ => self.defining_step().await?,
            }
            if reports.send(std::mem::take(&mut self.report)).await.is_err() {
                return Ok(false);
            }
        }
        for conn in self.conns {
            conn.disconnect().await?;
        }
        Ok(true)
    }

    /// Changes rows while nobody reads.
    async fn quiet_step(&mut self) -> Res<()> {
        let before = self.cached().await;
        let (schema, load) = (self.schema.clone(), self.load);
        let mut writer = self.writer();
        writer.write(&schema, load).await;
        let written = writer.written;
        let tables = self.took(written);
        self.following.passed(&mut self.conns[0]).await?;
        let (cached, fresh) = self.compare().await?;
        if self.has_foreign_keys {
            // The tables with changed rows aren't known.
            return Ok(());
        }
        for (at, entry) in self.entries.iter().enumerate() {
            let (Some(before), Some(fresh)) = (&before[at], &fresh[at]) else { continue };
            if before == fresh {
                self.report.unaffected += 1;
                self.report.survived += u64::from(cached[at].is_some());
                self.report.survived_by_table += u64::from(entry.tables.is_disjoint(&tables));
            } else {
                self.report.changed += 1;
            }
        }
        Ok(())
    }

    /// Changes rows by two programs while two others read and fill, new queries too.
    async fn racing_step(&mut self) -> Res<()> {
        for _ in 0..NEW.min(self.entries.len()) {
            let at = self.rng.random_range(0..self.entries.len());
            self.entries.swap_remove(at);
        }
        let new: Vec<Entry> = std::iter::repeat_with(|| self.candidate()).take(4 * NEW).flatten().take(NEW).collect();
        self.entries.extend(new);
        let (schema, load, done) = (self.schema.clone(), self.load, AtomicBool::new(false));
        let mut rng = || SmallRng::seed_from_u64(self.rng.random());
        let [one, two] = &mut self.conns;
        let [mut one, mut two] = [one, two].map(|conn| Writer { conn, rng: rng(), written: Written::default() });
        let (reader, other) = (rng(), rng());
        let write = async |writer: &mut Writer<'_>| {
            for _ in 0..4 {
                writer.write(&schema, load).await;
            }
        };
        let writers = async {
            join(write(&mut one), write(&mut two)).await;
            let passed = self.following.passed(one.conn).await;
            done.store(true, Ordering::Relaxed);
            passed
        };
        let read = async |mut rng: SmallRng| {
            while !done.load(Ordering::Relaxed) {
                let query = &self.entries[rng.random_range(0..self.entries.len())].query;
                // An error of the database is as good as an answer here.
                let _ = self.client.query_with_cache(&query.sql, &query.params, TTL).await;
            }
        };
        let (passed, (), ()) = join3(writers, read(reader), read(other)).await;
        passed?;
        let (one, two) = (one.written, two.written);
        self.took(one);
        self.took(two);
        let compared = self.report.compared;
        self.compare().await?;
        self.report.raced += self.report.compared - compared;
        Ok(())
    }

    async fn defining_step(&mut self) -> Res<()> {
        let (mut schema, collations) = (self.schema.clone(), self.collations);
        let mut writer = self.writer();
        writer.define(&mut schema, collations).await;
        let written = writer.written;
        self.took(written);
        self.schema = schema;
        self.following.passed(&mut self.conns[0]).await?;
        self.compare().await?;
        Ok(())
    }

    fn writer(&mut self) -> Writer<'_> {
        let rng = SmallRng::seed_from_u64(self.rng.random());
        Writer { conn: &mut self.conns[0], rng, written: Written::default() }
    }

    /// Notes what a writer did. Returns the tables with changed rows.
    fn took(&mut self, written: Written) -> BTreeSet<String> {
        self.report.statements += written.statements.len() as u64;
        self.history.push("-- step".into());
        self.history.extend(written.statements);
        written.tables
    }

    /// Fills entries until there are enough, and drops those that the database refuses now.
    async fn refill(&mut self) -> Res<()> {
        let most = if self.load == Load::Realistic { REALISTIC_ENTRIES } else { ENTRIES };
        let mut is_new = false;
        for _ in 0..10 {
            let wanted = most.saturating_sub(self.entries.len());
            let new: Vec<Entry> = std::iter::repeat_with(|| self.candidate()).take(wanted).flatten().collect();
            is_new |= !new.is_empty();
            let new = self.filled(new).await;
            self.entries.extend(new);
        }
        if is_new {
            // The follower ends every entry of the schemes that it doesn't know yet.
            self.following.passed(&mut self.conns[0]).await?;
        }
        let entries = std::mem::take(&mut self.entries);
        self.entries = self.filled(entries).await;
        Ok(())
    }

    /// Fills entries. Returns those that the database doesn't refuse.
    async fn filled(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let fill = |entry: Entry| async {
            let done = self.client.query_with_cache(&entry.query.sql, &entry.query.params, TTL).await;
            done.is_ok().then_some(entry)
        };
        let filled: Vec<Option<Entry>> = stream::iter(entries).map(fill).buffered(AT_ONCE).collect().await;
        filled.into_iter().flatten().collect()
    }

    /// Returns an entry whose text is followable. The database may refuse it.
    fn candidate(&mut self) -> Option<Entry> {
        let query = match self.load {
            Load::Realistic => realistic::query(&mut self.rng),
            Load::Random => Query::random(&self.schema, &mut self.rng),
        };
        // The clients' sessions have the real clock, and no tag ends when time passes.
        if depends_on_clock(&query.text).is_some() {
            return None;
        }
        let template = derive(&query.sql, Some(self.database.name()));
        template.followable().ok()?;
        let mut tables: BTreeSet<String> =
            template.occurrences().iter().map(|one| one.table().name().to_owned()).collect();
        for view in &self.schema.views {
            if tables.contains(&view.view.name) {
                tables.insert(view.over.clone());
            }
        }
        let key = self.client.key(&query.sql, &query.params).ok()?;
        Some(Entry { query, key: key.as_str().to_owned(), tables })
    }

    async fn cached(&self) -> Vec<Rows> {
        let look = |Entry { query, .. }: &'_ Entry| {
            let (sql, params) = (query.sql.clone(), query.params.clone());
            async move { self.client.read_from_cache(&sql, &params).await.ok().flatten().as_ref().map(rows) }
        };
        stream::iter(&self.entries).map(look).buffered(AT_ONCE).collect().await
    }

    /// Reads all answers anew, over connections whose sessions are reset.
    async fn fresh(&self) -> Vec<Rows> {
        let ask = |Entry { query, .. }: &'_ Entry| {
            let (sql, params) = (query.sql.clone(), query.params.clone());
            async move { self.client.query(&sql, &params).await.ok().as_ref().map(rows) }
        };
        stream::iter(&self.entries).map(ask).buffered(AT_ONCE).collect().await
    }

    /// Compares the entries that are left with fresh reads, while nobody writes.
    async fn compare(&mut self) -> Res<(Vec<Rows>, Vec<Rows>)> {
        let (cached, fresh) = (self.cached().await, self.fresh().await);
        for (at, entry) in self.entries.iter().enumerate() {
            // A query that fails with the rows of now has no answer to compare with.
            let (Some(cached), Some(fresh)) = (&cached[at], &fresh[at]) else { continue };
            if !self.following.is_followed(&entry.key) {
                continue;
            }
            self.report.compared += 1;
            if cached != fresh {
                self.report.stale += 1;
                let finding = self.finding(entry, cached, fresh);
                self.report.findings.push(finding);
                self.client.store().remove(&[entry.key.clone().into()]).await?;
            }
        }
        Ok((cached, fresh))
    }

    fn finding(&self, entry: &Entry, cached: &[String], fresh: &[String]) -> String {
        let tags = derive(&entry.query.sql, Some(self.database.name())).entry_tags(&entry.query.params);
        format!(
            "seed {}\n{}\nsql {}\nparams {:?}\ncached {cached:?}\nfresh  {fresh:?}\ntags {tags:?}\n",
            self.seed,
            self.history.join(";\n"),
            entry.query.sql,
            entry.query.params.values().collect::<Vec<_>>(),
        )
    }
}

fn rows(answer: &Answer) -> Vec<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(answer.as_bytes()).unwrap_or_default();
    let mut rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    rows.sort_unstable();
    rows
}
