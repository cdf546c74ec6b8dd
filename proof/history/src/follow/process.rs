//! A process that follows the log.

use std::time::Duration;

use mrc::Event;
use mrc::config::MySqlConfig;
use mrc_follow::rules::{Rule, Rules};
use mrc_follow::{Follower, Lack as Part};
use mysql_async::Opts;

use super::{ALL, NAME};
use crate::args::Child;
use crate::items::{FOLLOWER_LEASE, PARAM};
use crate::lack::Lack;
use crate::record::{Count, Memory, Record};
use crate::sink::{self, Sink};
use crate::{Res, clock, weak};

/// The number by which the server knows the followers.
const SERVER_ID: u32 = 4_242;
/// How often the memory is told.
const SAMPLE: Duration = Duration::from_millis(250);
/// The pause after an error, as a supervisor would make.
const RESTART: Duration = Duration::from_millis(200);

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
        let store = weak::store(child.redis, None).await?;
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
            sink.tell(Record::Memory(Memory { process, kib, at: clock::now() }));
        }
        tokio::time::sleep(SAMPLE).await;
    }
}
