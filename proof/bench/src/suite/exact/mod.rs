//! Measures the invalidation by rows: staleness beside other ways, and what it costs.
//!
//! | file | content |
//! |---|---|
//! | `stale` | a shop under reads and row changes, by TTL, by table, and by row |
//! | `texts` | deriving the dependencies of a text, and the tags of a call |
//! | `calls` | hits and misses with tags of rows, and without |
//! | `schemes` | a follower of a table with 20 schemes |
//! | `memory` | Redis's memory for entries, schemes and changed rows |
//! | `stores` | a change of one store, by the number of entries |

mod calls;
mod memory;
mod schemes;
mod stale;
mod stores;
mod texts;

use mrc_tests::{Database, Machine, Redis};

use super::{Plan, progress};
use crate::Res;
use crate::data;
use crate::results::Exact;

pub(super) async fn run(plan: Plan, quick: bool) -> Res<Exact> {
    let Machine { database: server, load, .. } = Machine::look();
    let plan = Plan { rounds: plan.rounds.min(5), ..plan };
    let stale = stale::run(quick).await?;
    let texts = texts::run(plan);
    let (redis, database) = (Redis::start().await, Database::logged().await);
    progress("exact: filling the table");
    database.execute(&data::schema()).await;
    let (calls, commands) = calls::run(plan, &redis, &database.url()).await?;
    let (schemes, backlog) = schemes::run(&redis, &database, quick).await?;
    let memory = memory::run(&redis).await?;
    let stores = stores::run(plan, quick).await?;
    Ok(Exact { database: server, load, stale, texts, calls, commands, schemes, backlog, memory, stores })
}
