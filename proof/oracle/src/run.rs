//! Pairs of query and change: if the answer changed, a tag of the query must have ended.

use std::collections::HashSet;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mrc_core::depends::{Lack, SchemeTag, derive_lacking};
use mrc_core::{Tag, Value};
use mrc_tests::Database;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};

use crate::Res;
use crate::follower::{Dump, Follower};
use crate::query::Query;
use crate::realistic;
use crate::schema::{Schema, change, first_rows};
use crate::server::{Collations, Texts, answer, batch, prepare};

/// The queries of one schema, and the changes that each of them sees.
const QUERIES: usize = 60;
const CHANGES: usize = 60;
const REALISTIC_QUERIES: usize = 400;
/// The misses that a report shows in full.
const SHOWN: usize = 5;

/// The task of a run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The pairs at least.
    pub pairs: u64,
    /// The first seed. Each schema has the next one.
    pub seed: u64,
    /// The rule that is switched off.
    pub lack: Lack,
    /// Whether the run ends with the first miss.
    pub stop_at_miss: bool,
    /// The connections that work at the same time.
    pub workers: usize,
    /// The queries and changes.
    pub load: Load,
}

/// The queries and changes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Random ones, to find misses.
    Random,
    /// Those of a shop, for the figure of precision.
    Realistic,
}

/// The results of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The pairs of a query and a change.
    pub pairs: u64,
    /// The pairs whose answer changed.
    pub changed: u64,
    /// The pairs whose answer changed, and no tag of the query ended.
    pub missed: u64,
    /// The pairs whose answer stayed, and no tag of the query ended.
    pub survived: u64,
    /// As `survived`, if a change ended every entry of its tables.
    pub survived_by_table: u64,
    /// The queries that a server took.
    pub queries: u64,
    /// Those of them that aren't followable.
    pub not_followable: u64,
    /// The first misses.
    pub misses: Vec<String>,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.changed += other.changed;
        self.missed += other.missed;
        self.survived += other.survived;
        self.survived_by_table += other.survived_by_table;
        self.queries += other.queries;
        self.not_followable += other.not_followable;
        self.misses.extend(other.misses);
        self.misses.truncate(SHOWN);
    }
}

impl Report {
    /// Returns the share of the unaffected entries that survive a change: by tags, and by tables.
    pub fn precision(&self) -> (f64, f64) {
        let share = |part: u64| part as f64 / (self.pairs - self.changed).max(1) as f64;
        (share(self.survived), share(self.survived_by_table))
    }
}

/// A query with its tags and its last answer.
struct Entry {
    query: Query,
    tags: Vec<SchemeTag>,
    answer: Vec<Texts>,
}

/// Searches for misses on the server of this run (`MRC_TEST_DATABASE`).
///
/// # Errors
/// The server can't be reached, or refuses what every server takes.
pub async fn run(settings: Settings, mut progress: impl FnMut(&Report)) -> Res<Report> {
    let is_enough = |report: &Report| {
        progress(report);
        report.pairs >= settings.pairs || settings.stop_at_miss && report.missed > 0
    };
    work(settings.workers, settings.seed, |next, found| rounds(settings, next, found), is_enough).await
}

/// Lets workers take seeds and send reports, until the sum of the reports is enough.
pub(crate) async fn work<R: AddAssign + Default + 'static, W: Future<Output = Res<()>> + 'static>(
    workers: usize,
    seed: u64,
    worker: impl Fn(Arc<AtomicU64>, mpsc::Sender<R>) -> W,
    mut is_enough: impl FnMut(&R) -> bool,
) -> Res<R> {
    let (next, (found, mut reports)) = (Arc::new(AtomicU64::new(seed)), mpsc::channel(1));
    // One thread is enough: the servers and the followers do the work.
    let sum = async {
        let mut all: JoinSet<Res<()>> = JoinSet::new();
        for _ in 0..workers.max(1) {
            all.spawn_local(worker(Arc::clone(&next), found.clone()));
        }
        // The workers have their own, so that a failure of all of them ends the loop.
        drop(found);
        let mut sum = R::default();
        while let Some(report) = reports.recv().await {
            sum += report;
            if is_enough(&sum) {
                return Ok(sum);
            }
        }
        while let Some(ended) = all.join_next().await {
            ended??;
        }
        Ok(sum)
    };
    LocalSet::new().run_until(sum).await
}

async fn rounds(settings: Settings, next: Arc<AtomicU64>, found: mpsc::Sender<Report>) -> Res<()> {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    prepare(&mut conn).await?;
    let collations = Collations::ask(&mut conn).await?;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let report = round(&mut conn, &database, collations, seed, settings).await?;
        if found.send(report).await.is_err() {
            return Ok(());
        }
    }
}

async fn round(
    conn: &mut Conn,
    database: &Database,
    collations: &Collations,
    seed: u64,
    settings: Settings,
) -> Res<Report> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let is_realistic = settings.load == Load::Realistic;
    let schema = if is_realistic { realistic::schema() } else { Schema::random(&mut rng) };
    let mut report = Report::default();
    let mut first: Vec<String> =
        schema.tables.iter().map(|table| format!("DROP TABLE IF EXISTS {}", table.name)).collect();
    first.extend(schema.ddl(&collations.exist));
    first.extend(if is_realistic { realistic::first_rows(&mut rng) } else { first_rows(&schema, &mut rng) });
    batch(conn, &first).await?;
    let dumps: Vec<String> = schema.tables.iter().map(crate::schema::Table::dump).collect();
    let mut before: Dump = batch(conn, &dumps).await?;
    let mut follower = Follower::new(&schema, database.name(), &collations.foldings, settings.lack);
    let mut entries = entries(conn, database, &schema, settings, &mut rng, &mut report).await?;
    entries.iter().flat_map(|entry| &entry.tags).for_each(|tag| follower.register(tag));
    for _ in 0..CHANGES {
        let changes = if is_realistic { realistic::change(&mut rng) } else { change(&schema, &mut rng) };
        let (after, answers) = step(conn, &changes, &dumps, &entries).await?;
        let (ended, tables) = follower.ended(&before, &after);
        let mut kept = Vec::with_capacity(entries.len());
        for (mut entry, answer) in entries.into_iter().zip(answers) {
            let Some(answer) = answer else { continue };
            let is_ended =
                entry.tags.iter().any(|tag| ended.contains(&tag.tag) || ended.contains(&tag.scheme.name.tag));
            report.pairs += 1;
            if answer != entry.answer {
                report.changed += 1;
                if !is_ended {
                    report.missed += 1;
                    if report.misses.len() < SHOWN {
                        let ddl = schema.ddl(&collations.exist);
                        report.misses.push(miss(seed, &ddl, &changes, [&before, &after], &ended, &entry, &answer));
                    }
                }
            } else {
                report.survived += u64::from(!is_ended);
                report.survived_by_table += u64::from(!entry.tags.iter().any(|tag| tables.contains(&tag.scheme.table)));
            }
            entry.answer = answer;
            kept.push(entry);
        }
        entries = kept;
        before = after;
    }
    Ok(report)
}

/// Returns queries that the server takes and that are followable.
async fn entries(
    conn: &mut Conn,
    database: &Database,
    schema: &Schema,
    settings: Settings,
    rng: &mut SmallRng,
    report: &mut Report,
) -> Res<Vec<Entry>> {
    let is_realistic = settings.load == Load::Realistic;
    let queries = if is_realistic { REALISTIC_QUERIES } else { QUERIES };
    let mut entries = Vec::with_capacity(queries);
    // Each one is a trip of its own.
    let are_prepared = rng.random_bool(0.08);
    for _ in 0..10 * queries {
        if entries.len() == queries {
            break;
        }
        let query = if is_realistic {
            realistic::query(rng)
        } else {
            Query { is_prepared: are_prepared, ..Query::random(schema, rng) }
        };
        let Some(answer) = one_answer(conn, &query).await else { continue };
        report.queries += 1;
        let template = derive_lacking(&query.sql, Some(database.name()), settings.lack);
        if template.followable().is_err() {
            report.not_followable += 1;
            continue;
        }
        let tags = template.tags(&query.params);
        entries.push(Entry { query, tags, answer: sorted(answer) });
    }
    Ok(entries)
}

/// Changes the data. Returns the rows after it, and the answer of each query, sorted. `None`: the
/// server refuses the query with this data.
async fn step(
    conn: &mut Conn,
    changes: &[String],
    dumps: &[String],
    entries: &[Entry],
) -> Res<(Dump, Vec<Option<Vec<Texts>>>)> {
    let texts = entries.iter().map(|entry| &entry.query).filter(|query| !query.is_prepared).map(|query| &query.text);
    let statements: Vec<String> = changes.iter().chain(dumps).chain(texts).cloned().collect();
    // Mostly one trip. A statement that the server refuses ends it, perhaps after a change.
    let (after, mut known) = match batch(conn, &statements).await {
        Ok(mut answers) => {
            let mut after = answers.split_off(changes.len());
            let known = after.split_off(dumps.len());
            (after, Some(known.into_iter()))
        }
        Err(_) => (batch(conn, dumps).await?, None),
    };
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let known = if entry.query.is_prepared { None } else { known.as_mut().and_then(Iterator::next) };
        let answer = match known {
            Some(answer) => Some(answer),
            None => one_answer(conn, &entry.query).await,
        };
        all.push(answer.map(sorted));
    }
    Ok((after, all))
}

pub(crate) async fn one_answer(conn: &mut Conn, query: &Query) -> Option<Vec<Texts>> {
    if !query.is_prepared {
        return answer(conn, &query.text).await;
    }
    let values: Vec<mysql_async::Value> = query.params.values().map(bound).collect();
    let rows: Vec<mysql_async::Row> = conn.exec(query.sql.clone(), values).await.ok()?;
    let texts = |row: mysql_async::Row| row.unwrap().iter().map(|value| Some(format!("{value:?}"))).collect();
    Some(rows.into_iter().map(texts).collect())
}

fn bound(value: &Value) -> mysql_async::Value {
    match value {
        Value::Int(int) => mysql_async::Value::Int(*int),
        Value::Text(text) => mysql_async::Value::Bytes(text.as_bytes().to_vec()),
        Value::Decimal(digits) => mysql_async::Value::Bytes(digits.as_str().as_bytes().to_vec()),
        Value::Bytes(bytes) => mysql_async::Value::Bytes(bytes.to_vec()),
        Value::Date(date) => mysql_async::Value::Date(date.year, date.month, date.day, 0, 0, 0, 0),
        _ => mysql_async::Value::NULL,
    }
}

fn sorted(mut rows: Vec<Texts>) -> Vec<Texts> {
    rows.sort_unstable();
    rows
}

/// Returns the facts about a miss.
fn miss(
    seed: u64,
    ddl: &[String],
    changes: &[String],
    [before, after]: [&Dump; 2],
    ended: &HashSet<Tag>,
    entry: &Entry,
    answer: &[Texts],
) -> String {
    let mut ended: Vec<&Tag> = ended.iter().collect();
    ended.sort_unstable();
    let tags: Vec<&Tag> = entry.tags.iter().flat_map(|tag| [&tag.tag, &tag.scheme.name.tag]).collect();
    let Entry { query: Query { sql, params, text, is_prepared }, answer: old, .. } = entry;
    let (ddl, params) = (ddl.join("\n"), params.values().collect::<Vec<_>>());
    format!(
        "seed {seed}\n{ddl}\nsql {sql}\nparams {params:?}, prepared {is_prepared}\ntext {text}\n\
         change {changes:?}\nrows before {before:?}\nrows after {after:?}\n\
         answer before {old:?}\nanswer after {answer:?}\ntags {tags:?}\nended {ended:?}\n",
    )
}

/// Returns a seed of its own for each run.
#[must_use]
pub fn any_seed() -> u64 {
    rand::rng().random_range(0..1 << 40)
}
