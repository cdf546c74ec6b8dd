//! Runs servers, players and outages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mrc::MrcServer;
use mrc_tests::{Machine, Redis, SqlServer, numbers};
use mysql_async::Pool;
use mysql_async::prelude::Queryable;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::plan::{Blow, Server, phases};
use crate::record::{Counts, Floors, Measured, Results, Sample};
use crate::series::{KEYS, Series, Writer, client};
use crate::{Args, Res};

/// The time under load that isn't counted: connections are made and caches filled.
const WARMING_UP: Duration = Duration::from_secs(3);

/// The series: name, file, and whether the client keeps copies.
const SERIES: [(&str, &str, bool); 2] =
    [("without copies", "without-copies.svg", false), ("with copies", "with-copies.svg", true)];

struct Player {
    samples: JoinHandle<Vec<Sample>>,
    driver: std::thread::JoinHandle<()>,
    events: Arc<Counts>,
    errors: Arc<Counts>,
}

/// Runs everything, from the start of the servers to their end.
pub(crate) async fn run(args: &Args) -> Res<Results> {
    let machine = Machine::look();
    let (redis, mysql) = (Redis::start().await, SqlServer::start().await);
    let items = KEYS * u32::try_from(SERIES.len())?;
    let schema = format!(
        "CREATE DATABASE shop; USE shop;
         CREATE TABLE items (id INT UNSIGNED PRIMARY KEY, version INT UNSIGNED NOT NULL) ENGINE=InnoDB;
         INSERT INTO items SELECT seq - 1, 0 FROM {} AS n",
        numbers(items.into())
    );
    mysql.admin().await.query_drop(schema).await?;
    let (database, pool) = (mysql.url("shop"), Pool::from_url(mysql.url("shop"))?);

    let (floors, stop, writes) =
        (Arc::new(Floors::new(items)), Arc::new(AtomicBool::new(false)), Arc::<Counts>::default());
    let began = Instant::now();
    let mut players = Vec::new();
    for (number, (name, _, copies)) in SERIES.into_iter().enumerate() {
        let (events, errors) = (Arc::<Counts>::default(), Arc::<Counts>::default());
        let client = client(&database, &redis.url(), copies, &events)?;
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (first, floors, errors_of) = (KEYS * u32::try_from(number)?, Arc::clone(&floors), Arc::clone(&errors));
        let series = Arc::new(Series { client, first, floors, errors: errors_of, began, samples: sender });
        let (runtime, rate, stop) = (Handle::current(), args.rate, Arc::clone(&stop));
        let driver =
            std::thread::Builder::new().name(name.into()).spawn(move || series.drive(&runtime, rate, &stop))?;
        let samples = tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(sample) = receiver.recv().await {
                all.push(sample);
            }
            all
        });
        players.push(Player { samples, driver, events, errors });
    }
    let server = MrcServer::new(&redis.url())?;
    let writer = Writer { pool, server, floors, items, counts: Arc::clone(&writes) };
    let writer = tokio::spawn(writer.run());

    let warm_up = usize::MAX;
    let enter = |phase| {
        players
            .iter()
            .flat_map(|player| [&player.events, &player.errors])
            .chain([&writes])
            .for_each(|counts| counts.enter(phase));
    };
    enter(warm_up);
    tokio::time::sleep(WARMING_UP).await;
    let mut measured = Vec::new();
    for (number, phase) in phases(args.quick).into_iter().enumerate() {
        eprintln!("{:4.0} s  {}", began.elapsed().as_secs_f64(), phase.name);
        enter(number);
        let from = began.elapsed();
        if let Some(outage) = phase.outage {
            change(outage, true, &redis, &mysql).await;
        }
        tokio::time::sleep(phase.length).await;
        if let Some(outage) = phase.outage {
            change(outage, false, &redis, &mysql).await;
        }
        measured.push((phase, from..began.elapsed()));
    }
    stop.store(true, Ordering::Relaxed);
    writer.abort();
    let mut series = Vec::new();
    for (player, (name, file, _)) in players.into_iter().zip(SERIES) {
        player.driver.join().map_err(|_| "a driver panicked")?;
        // The samples end with the last call.
        let samples = player.samples.await?;
        series.push(Measured { name, file, samples, events: player.events, errors: player.errors });
    }
    Ok(Results { machine, rate: args.rate, phases: measured, series, writer: writes })
}

/// Begins an outage, or ends it and returns when the server is ready.
async fn change((server, blow): (Server, Blow), begins: bool, redis: &Redis, mysql: &SqlServer) {
    match (server, blow, begins) {
        (Server::Redis, Blow::Killed, true) => redis.kill().await,
        (Server::Redis, Blow::Killed, false) => redis.restart().await,
        (Server::Redis, Blow::Wedged, true) => redis.pause().await,
        (Server::Redis, Blow::Wedged, false) => redis.resume().await,
        (Server::MySql, Blow::Killed, true) => mysql.kill().await,
        (Server::MySql, Blow::Killed, false) => mysql.restart().await,
        (Server::MySql, Blow::Wedged, true) => mysql.pause().await,
        (Server::MySql, Blow::Wedged, false) => mysql.resume().await,
    }
}
