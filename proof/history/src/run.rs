//! One run: servers, processes and faults, and their records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mrc_tests::{Database, Redis};
use mysql_async::Pool;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::args::{Args, Child};
use crate::check::{Stale, stale};
use crate::lack::Lack;
use crate::processes::{Processes, start};
use crate::proxy::Wire;
use crate::record::{By, Write, now};
use crate::sink::History;
use crate::{Res, faults, follow, items, writer};

/// The longest silence of the readers before the run fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the follower may take for the last writes. Then all rows are read for a while.
const CATCHING_UP: Duration = Duration::from_secs(30);
const READING_ALL: Duration = Duration::from_secs(3);

/// The result of a run.
pub(crate) struct Outcome {
    pub(crate) lack: Option<Lack>,
    pub(crate) history: Arc<History>,
    /// The time when it began, by the clock of the records.
    pub(crate) began: u64,
    pub(crate) took: Duration,
    pub(crate) stale: Vec<Stale>,
    /// The number of keys that expired, claims among them.
    pub(crate) expired: u64,
}

/// Returns the name of a run without this part.
fn name(lack: Option<Lack>) -> &'static str {
    lack.map_or("the whole protocol", Lack::text)
}

impl Outcome {
    pub(crate) fn name(&self) -> &'static str {
        name(self.lack)
    }

    /// Returns whether stale reads are absent with the whole protocol, and present without a part.
    pub(crate) fn as_it_should(&self) -> bool {
        // A run without invalidations shows nothing.
        let worked =
            self.history.writes().iter().any(|write| write.dropped.is_some()) && !self.history.reads().is_empty();
        worked && self.stale.is_empty() == self.lack.is_none()
    }
}

/// Runs until there are enough reads or time is up. A lack then runs until a stale read is found.
pub(crate) async fn run(args: &Args, lack: Option<Lack>, operations: u64) -> Res<Outcome> {
    let name = name(lack);
    eprintln!("{name}: starting");
    let redis = Redis::start().await;
    let database = Arc::new(if args.follow { Database::logged().await } else { Database::create().await });
    database.execute(&if args.follow { follow::schema() } else { items::schema() }).await;
    let (history, clock_began) = (Arc::new(History::default()), now());
    let wire = Wire::new(redis.port(), args.seed, Arc::clone(&history))?;
    let (told, proxied) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let child = Child {
        number: 0,
        seed: args.seed,
        sink: told.local_addr()?.port(),
        redis: proxied.local_addr()?.port(),
        direct: redis.port(),
        mysql: database.url(),
        without: lack,
        follow: args.follow,
        auto: args.auto,
    };
    // These end what they run when they are dropped.
    let (mut services, mut players) = (JoinSet::new(), JoinSet::new());
    services.spawn(Arc::clone(&history).listen(told));
    services.spawn(Arc::clone(&wire).serve(proxied));
    let calm = Arc::new(AtomicBool::new(false));
    let mut tracker = None;
    if args.follow {
        tracker = Some(follow::start(&database, &child, &history, &calm, &mut players).await?);
    }
    let writers = start("writer", &child).await?;
    let readers = Processes::start("reader", child, args.readers).await?;
    if !args.follow {
        for (by, seed) in [(By::Npm, 1), (By::Pypi, 2)] {
            let pool = Pool::from_url(database.url())?;
            players.spawn(writer::by_peer(by, redis.url(), pool, args.seed + seed, Arc::clone(&history)));
        }
    }
    players.spawn(faults::happen(readers, redis.clone(), wire, args.seed, Arc::clone(&history), Arc::clone(&calm)));

    // Of followed writes, the time of the invalidation is known only here.
    let writes = || -> Vec<Write> {
        let writes = history.writes();
        tracker.as_ref().map_or_else(|| writes.clone(), |tracker| tracker.resolve(&writes))
    };
    let (began, limit) = (Instant::now(), Duration::from_secs(args.soak.unwrap_or(args.seconds)));
    let (mut wanted, mut last) = (operations, (0, Instant::now()));
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // A player ends only with an error.
        if let Some(ended) = players.try_join_next() {
            return Err(ended?.err().unwrap_or_else(|| "a player left".into()));
        }
        let (reads, written) = (history.reads().len(), history.writes().len());
        eprint!("\r{name}: {reads} reads, {written} invalidations, {:.0} s  ", began.elapsed().as_secs_f64());
        if reads > last.0 {
            last = (reads, Instant::now());
        } else if last.1.elapsed() > PATIENCE {
            return Err("the readers have ended, or hang".into());
        }
        let over = began.elapsed() > limit;
        if reads as u64 >= wanted && args.soak.is_none() || over {
            if over || lack.is_none() || !stale(&history.reads(), &writes()).is_empty() {
                break;
            }
            wanted *= 2;
        }
    }
    eprintln!();
    if let Some(tracker) = &tracker {
        calm.store(true, Ordering::Relaxed);
        database.hold_commits(None).await;
        drop(writers);
        let written = history.writes().clone();
        if !tracker.passes(&written, CATCHING_UP).await && lack.is_none() {
            return Err("the follower didn't catch up".into());
        }
        tokio::time::sleep(READING_ALL).await;
    }
    let took = began.elapsed();
    players.shutdown().await;
    let writes = writes();
    history.writes().clone_from(&writes);
    let stale = stale(&history.reads(), &writes);
    let statistics = redis.cli(&["INFO", "stats"]).await;
    let expired = statistics.lines().find_map(|line| line.trim().strip_prefix("expired_keys:")?.parse().ok());
    Ok(Outcome { lack, history, began: clock_began, took, stale, expired: expired.unwrap_or(0) })
}
