//! Runs in which nobody invalidates but the follower of the database's log.
//!
//! The rule: the follower's position passes the transaction of a version. Then no read that starts
//! later sees an older version.

mod plot;
mod process;
mod tracker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mrc_tests::{Database, Proxy, numbers};
use tokio::task::JoinSet;

pub(crate) use self::plot::svg;
pub(crate) use self::process::run;
pub(crate) use self::tracker::{Tracker, last_number};

use crate::args::Child;
use crate::items::{FIRST, ITEMS};
use crate::processes::Processes;
use crate::sink::History;
use crate::{Res, faults, weak};

/// The tag of every entry, for a change whose rows the log doesn't have.
pub(crate) const ALL: &str = "items";
/// The name of all followers. One of them leads.
pub(crate) const NAME: &str = "history";
/// How long Redis may take to forget the registry.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of processes that follow.
const FOLLOWERS: u8 = 2;

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
    let redis = if child.auto { Some(weak::redis(child.direct, PATIENCE).await?) } else { None };
    let (database, history) = (Arc::clone(database), Arc::clone(history));
    let faults = faults::OfFollowers { followers, link, database, history, redis };
    players.spawn(faults.happen(child.seed, Arc::clone(calm)));
    let tracker = Arc::new(Tracker::default());
    players.spawn(Arc::clone(&tracker).watch(child.direct));
    Ok(tracker)
}
