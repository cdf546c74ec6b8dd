//! One run: servers, processes and faults, and what they told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mrc_tests::{Database, Redis};
use mysql_async::Pool;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::args::{Args, Child};
use crate::check::{Stale, stale};
use crate::lack::Lack;
use crate::processes::{Readers, start};
use crate::proxy::Wire;
use crate::record::By;
use crate::sink::History;
use crate::{Res, clock, faults, foreign, items};

/// How long the readers may tell nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run came to.
pub(crate) struct Outcome {
    pub(crate) lack: Option<Lack>,
    pub(crate) history: Arc<History>,
    /// When it began, by the clock of the records.
    pub(crate) began: u64,
    pub(crate) took: Duration,
    pub(crate) stale: Vec<Stale>,
    /// How many keys ended with their TTL, claims among them.
    pub(crate) expired: u64,
}

/// What a run without this part is called.
fn name(lack: Option<Lack>) -> &'static str {
    lack.map_or("the whole protocol", Lack::text)
}

impl Outcome {
    pub(crate) fn name(&self) -> &'static str {
        name(self.lack)
    }

    /// The protocol let nothing stale through; what lacks a part did.
    pub(crate) fn as_it_should(&self) -> bool {
        // Where nothing was invalidated nothing was shown.
        let worked =
            self.history.writes().iter().any(|write| write.dropped.is_some()) && !self.history.reads().is_empty();
        worked && self.stale.is_empty() == self.lack.is_none()
    }
}

/// Runs until there are so many reads, or the time is up. Without a part it then goes on until it has found something.
pub(crate) async fn run(args: &Args, lack: Option<Lack>, operations: u64) -> Res<Outcome> {
    let name = name(lack);
    eprintln!("{name}: starting");
    let redis = Redis::start().await;
    let database = Database::create().await;
    database.execute(&items::schema()).await;
    let (history, clock_began) = (Arc::new(History::default()), clock::now());
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
    };
    // Dropped, they end what they run.
    let (mut services, mut players) = (JoinSet::new(), JoinSet::new());
    services.spawn(Arc::clone(&history).listen(told));
    services.spawn(Arc::clone(&wire).serve(proxied));
    let _writer = start("writer", &child).await?;
    let readers = Readers::start(child, args.readers).await?;
    for (by, seed) in [(By::Npm, 1), (By::Pypi, 2)] {
        let pool = Pool::from_url(database.url())?;
        players.spawn(foreign::write(by, redis.url(), pool, args.seed + seed, Arc::clone(&history)));
    }
    players.spawn(faults::happen(readers, redis.clone(), wire, args.seed, Arc::clone(&history)));

    let (began, limit) = (Instant::now(), Duration::from_secs(args.seconds));
    let (mut wanted, mut last) = (operations, (0, Instant::now()));
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // None of them ends but by an error.
        if let Some(ended) = players.try_join_next() {
            return Err(ended?.err().unwrap_or_else(|| "a player left".into()));
        }
        let (reads, writes) = (history.reads().len(), history.writes().len());
        eprint!("\r{name}: {reads} reads, {writes} invalidations, {:.0} s  ", began.elapsed().as_secs_f64());
        if reads > last.0 {
            last = (reads, Instant::now());
        } else if last.1.elapsed() > PATIENCE {
            return Err("the readers have ended, or hang".into());
        }
        let over = began.elapsed() > limit;
        if reads as u64 >= wanted || over {
            if over || lack.is_none() || !stale(&history.reads(), &history.writes()).is_empty() {
                break;
            }
            wanted *= 2;
        }
    }
    eprintln!();
    let took = began.elapsed();
    players.shutdown().await;
    let stale = stale(&history.reads(), &history.writes());
    let statistics = redis.cli(&["INFO", "stats"]).await;
    let expired = statistics.lines().find_map(|line| line.trim().strip_prefix("expired_keys:")?.parse().ok());
    Ok(Outcome { lack, history, began: clock_began, took, stale, expired: expired.unwrap_or(0) })
}
