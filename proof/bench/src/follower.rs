//! A follower's process: answers on stdout, by line, how far it has come.

use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mrc::Event;
use mrc::config::{MySqlConfig, RedisConfig};
use mrc::store::RedisStore;
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{Follower, Start};
use mysql_async::Opts;
use serde::{Deserialize, Serialize};

use crate::args::{By, Following};
use crate::{Res, cpu};

const PATIENCE: Duration = Duration::from_secs(600);

/// The request: answer when so many transactions are applied.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Until {
    pub(crate) transactions: u64,
}

/// The answer. Times are in ns of the machine's monotonic clock.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// The time at which the follower began.
    pub(crate) began: u64,
    /// The ends of the batches since the last request, with all transactions so far.
    pub(crate) applied: Vec<(u64, u64)>,
    /// The invalidated tags since the start of the process.
    pub(crate) tags: u64,
    /// The memory now, and its peak since the last request, in bytes.
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    /// The CPU time of the process, in seconds.
    pub(crate) cpu: f64,
}

/// The ends of batches that nobody has asked for yet.
#[derive(Default)]
struct Applied {
    ends: Vec<(u64, u64)>,
    transactions: u64,
}

/// Follows until stdin ends.
pub(crate) fn run(task: &Following) -> Res<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let applied = Arc::new(Mutex::new(Applied::default()));
    let follower = runtime.block_on(async { build(task, Arc::clone(&applied)) })?;
    let (began, clone) = (cpu::monotonic(), follower.clone());
    let running = runtime.spawn(async move { clone.run(std::future::pending()).await });
    for line in std::io::stdin().lock().lines() {
        let until: Until = serde_json::from_str(&line?)?;
        let asked = Instant::now();
        let status = loop {
            let status = follower.status();
            if !status.position.is_empty() && status.transactions >= until.transactions {
                break status;
            }
            if running.is_finished() || asked.elapsed() > PATIENCE {
                return Err(format!("the follower has ended, or hangs: {status:?}").into());
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let ends = std::mem::take(&mut applied.lock().unwrap_or_else(PoisonError::into_inner).ends);
        let (resident, peak, cpu) = (cpu::resident()?, cpu::peak()?, cpu::time().as_secs_f64());
        let answer = Followed { began, applied: ends, tags: status.tags, resident, peak, cpu };
        cpu::forget_peak()?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

fn build(task: &Following, applied: Arc<Mutex<Applied>>) -> Res<Follower> {
    let opts = Opts::from_url(&task.urls.mysql)?;
    let database = opts.db_name().ok_or("the URL names no database")?;
    let rules = match task.by {
        By::Rules => Rules::new([
            Rule::table(format!("{database}.orders")).all("orders").tag("order:{id}").tag("store:{store_id}"),
            Rule::table(format!("{database}.wide")).all("wide").tag("wide:{id}").max_tags(1_000_000),
        ])?,
        By::Tables => Rules::new([Rule::table(format!("{database}.orders")).all("orders")])?,
        By::Schemes => Rules::default(),
    };
    let store = RedisStore::new(RedisConfig::from_url(&task.urls.redis)?)?;
    let start = if task.from.is_empty() { Start::Now } else { Start::Behind(task.from.parse()?) };
    let follower = Follower::builder(MySqlConfig::from_url(&task.urls.mysql)?, store)
        .name(&task.name)
        .server_id(4_242)
        .rules(rules)
        .auto(task.by == By::Schemes)
        .start(start)
        .on_event(move |event: &Event<'_>| {
            if let Event::Applied { transactions, .. } = event {
                let mut applied = applied.lock().unwrap_or_else(PoisonError::into_inner);
                applied.transactions += transactions;
                let end = (cpu::monotonic(), applied.transactions);
                applied.ends.push(end);
            }
        });
    Ok(follower.build()?)
}
