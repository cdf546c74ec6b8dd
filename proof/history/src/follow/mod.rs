//! Runs in which nobody invalidates but the follower of the database's log.
//!
//! The rule: the follower's position passes the transaction of a version. Then no read that starts
//! later sees an older version.

mod plot;
mod tracker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mrc::Event;
use mrc::config::MySqlConfig;
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{Follower, Lack as Part};
use mrc_tests::{Database, Proxy, numbers};
use mysql_async::Opts;
use tokio::task::JoinSet;

pub(crate) use self::plot::svg;
pub(crate) use self::tracker::{Tracker, last_number};

use crate::args::Child;
use crate::items::{FIRST, FOLLOWER_LEASE, ITEMS, PARAM};
use crate::lack::Lack;
use crate::processes::Processes;
use crate::record::{Count, Memory, Record, now};
use crate::sink::{self, History, Sink};
use crate::{Res, faults, proxy, weak};

/// The tag of every entry, for a change whose rows the log doesn't have.
pub(crate) const ALL: &str = "items";
/// The name of all followers. One of them leads.
pub(crate) const NAME: &str = "history";
/// How long Redis may take to forget the registry.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of processes that follow.
const FOLLOWERS: u8 = 2;
/// The number by which the server knows the followers.
const SERVER_ID: u32 = 4_242;
/// The interval between two reports of a follower's memory.
const SAMPLE: Duration = Duration::from_millis(250);
/// The pause after an error, as a supervisor would make.
const RESTART: Duration = Duration::from_millis(200);

/// Returns whether the version of an item changes through a foreign key.
pub(crate) fn is_cascaded(item: u16) -> bool {
    item % 8 == 3
}

/// Returns the SQL of the tables. Some versions change through a foreign key.
pub(crate) fn schema() -> String {
    let (before, numbers) = (FIRST - 1, numbers(ITEMS.into()));
    format!(
        "CREATE TABLE bases (id INT UNSIGNED, version INT UNSIGNED, PRIMARY KEY (id, version));
         CREATE TABLE items (id INT UNSIGNED PRIMARY KEY, version INT UNSIGNED NOT NULL, base INT UNSIGNED,
             FOREIGN KEY (base, version) REFERENCES bases (id, version) ON UPDATE CASCADE);
         INSERT INTO bases SELECT seq + {before}, 1 FROM {numbers} AS n WHERE (seq + {before}) % 8 = 3;
         INSERT INTO items SELECT seq + {before}, 1, IF((seq + {before}) % 8 = 3, seq + {before}, NULL) FROM {numbers} AS n"
    )
}

/// Starts the followers and their faults. Returns what knows the position.
pub(crate) async fn start(
    database: &Arc<Database>,
    child: &Child,
    history: &Arc<History>,
    calm: &Arc<AtomicBool>,
    players: &mut JoinSet<Res<()>>,
) -> Res<Arc<Tracker>> {
    let link = Proxy::to(database.port()).await;
    let mysql = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", link.port()));
    let followers = Processes::start("follower", Child { mysql, ..child.clone() }, FOLLOWERS).await?;
    let redis = if child.auto { Some(proxy::redis(child.direct, PATIENCE).await?) } else { None };
    let (database, history) = (Arc::clone(database), Arc::clone(history));
    let faults = faults::OfFollowers { followers, link, database, history, redis };
    players.spawn(faults.happen(child.seed, Arc::clone(calm)));
    let tracker = Arc::new(Tracker::default());
    players.spawn(Arc::clone(&tracker).watch(child.direct));
    Ok(tracker)
}

/// Follows until the process is killed.
pub(crate) async fn run(child: &Child) -> Res<()> {
    let sink = Sink::connect(child.sink)?;
    tokio::spawn(tell_memory(child.number, sink.clone()));
    let opts = Opts::from_url(&child.mysql)?;
    let table = format!("{}.items", opts.db_name().ok_or("the URL names no database")?);
    let rule = Rule::table(table).all(ALL).tag("item:{id}").param(PARAM, "{id}");
    let rules = Rules::new([rule])?;
    sink::ready();
    loop {
        let told = sink.clone();
        let store = weak::store(child.redis, None, None).await?;
        let rules = if child.auto { Rules::default() } else { rules.clone() };
        let follower = Follower::with_shared_store(MySqlConfig::from_url(&child.mysql)?, store)
            .name(NAME)
            .server_id(SERVER_ID)
            .lease(FOLLOWER_LEASE)
            .rules(rules)
            .auto(child.auto)
            .on_event(move |event: &Event<'_>| match event {
                Event::Leads { leads: true } => told.count(Count::Led),
                Event::Rewound { .. } => told.count(Count::Rewound),
                Event::LogLost { .. } => told.count(Count::LogLost),
                Event::FellBack { .. } => told.count(Count::FellBack),
                Event::DropRetried { .. } => told.count(Count::DropRetried),
                _ => {}
            });
        let follower = match child.without {
            Some(Lack::Visibility) => follower.without(Part::Visibility),
            Some(Lack::Order) => follower.without(Part::Order),
            Some(Lack::Schemes) => follower.without(Part::Schemes),
            Some(Lack::Cascades) => follower.without(Part::Cascades),
            _ => follower,
        };
        if follower.build()?.run(std::future::pending()).await.is_err() {
            sink.count(Count::FollowerFailed);
        }
        tokio::time::sleep(RESTART).await;
    }
}

async fn tell_memory(process: u8, sink: Sink) {
    loop {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        if let Some(kib) = resident.and_then(|kib| kib.parse().ok()) {
            sink.tell(Record::Memory(Memory { process, kib, at: now() }));
        }
        tokio::time::sleep(SAMPLE).await;
    }
}
