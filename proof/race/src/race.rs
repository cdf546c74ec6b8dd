//! The race, as every contender runs it.

use std::sync::Arc;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::contender::Contender;
use crate::row::{Row, SETTLE};

/// How many callers miss at once.
pub(crate) const CALLERS: usize = 20;

/// The result of a contender.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub(crate) struct Outcome {
    /// The old value was still served after the invalidation and all callers had finished.
    pub(crate) kept: bool,
    /// A call that began after the invalidation had returned got the old value.
    pub(crate) handed: bool,
    /// The number of reads of the row for the callers of one cold key.
    pub(crate) loads: usize,
}

type Shared = Arc<dyn Contender>;

/// Runs the race. Each part has a key of its own.
///
/// # Panics
/// If the contender fails without a race: then it is used wrongly here.
pub(crate) async fn run(contender: Shared) -> Outcome {
    without_a_race(&*contender).await;
    Outcome { kept: kept(&contender).await, handed: handed(&contender).await, loads: loads(&contender).await }
}

/// Checks that the contender's calls are the right ones: fill, hit, invalidate, fill.
async fn without_a_race(contender: &dyn Contender) {
    let (key, row) = (1, Row::new());
    row.open_gate();
    assert_eq!(contender.read(key, row.clone()).await, "old", "a miss");
    row.write("new");
    assert_eq!(contender.read(key, row.clone()).await, "old", "a hit");
    contender.invalidate(key).await;
    assert_eq!(contender.read(key, row.clone()).await, "new", "a miss, after the invalidation");
    assert_eq!(row.loads(), 2, "loads of a miss, a hit, and a miss");
}

/// A reader reads the old row. A writer writes and invalidates. The reader stores; another asks.
async fn kept(contender: &Shared) -> bool {
    let (key, row) = (2, Row::new());
    let reader = read_until_gate(contender, key, &row).await;
    write_and_invalidate(contender, key, &row).await;
    row.open_gate();
    joined(reader).await;
    contender.read(key, row.clone()).await == "old"
}

/// As above, but the other reader asks before the first has stored.
async fn handed(contender: &Shared) -> bool {
    let (key, row) = (3, Row::new());
    let reader = read_until_gate(contender, key, &row).await;
    write_and_invalidate(contender, key, &row).await;
    let later = spawn_read(contender, key, &row);
    // The later reader reads the row itself, or joins the first: then no second load begins.
    row.reaches(2).await;
    row.open_gate();
    joined(reader).await;
    joined(later).await == "old"
}

/// Many callers ask for one cold key at once.
async fn loads(contender: &Shared) -> usize {
    let (key, row) = (4, Row::new());
    let mut callers: JoinSet<String> = (0..CALLERS)
        .map(|_| {
            let (contender, row) = (contender.clone(), row.clone());
            async move { contender.read(key, row).await }
        })
        .collect();
    // All callers have missed before the first one may store.
    row.reaches(CALLERS).await;
    row.open_gate();
    while let Some(value) = callers.join_next().await {
        assert_eq!(value.expect("a caller panicked"), "old");
    }
    row.loads()
}

async fn read_until_gate(contender: &Shared, key: u64, row: &Row) -> JoinHandle<String> {
    let reader = spawn_read(contender, key, row);
    assert!(row.reaches(1).await, "the reader never loads");
    reader
}

async fn write_and_invalidate(contender: &Shared, key: u64, row: &Row) {
    row.write("new");
    let writer = contender.clone();
    let mut invalidation = tokio::spawn(async move { writer.invalidate(key).await });
    // An invalidation that waits for the reader is allowed.
    if timeout(SETTLE, &mut invalidation).await.is_err() {
        row.open_gate();
        joined(invalidation).await;
    }
}

fn spawn_read(contender: &Shared, key: u64, row: &Row) -> JoinHandle<String> {
    let (contender, row) = (contender.clone(), row.clone());
    tokio::spawn(async move { contender.read(key, row).await })
}

async fn joined<T>(task: JoinHandle<T>) -> T {
    task.await.expect("a task of the race panicked")
}
