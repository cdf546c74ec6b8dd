//! Rows of the log: the follower's decoder, and the driver's.

use std::collections::HashMap;
use std::hint::black_box;

use futures_util::TryStreamExt;
use mrc_follow::event::{Decoder, Event, Flavor, RawEvent};
use mrc_tests::Database;
use mysql_async::BinlogStreamRequest;
use mysql_async::binlog::events::{Event as DriverEvent, EventData, TableMapEvent};
use mysql_async::prelude::Queryable;

use crate::Res;
use crate::cpu::Clock;
use crate::results::Series;
use crate::suite::{Plan, progress};

const ROWS: u32 = 100_000;
/// The columns that the rule of the table wants.
const WANTED: [usize; 2] = [0, 1];
const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// A description of a table, and changed rows in the newer and the older form.
const KINDS: [u8; 3] = [0x13, 0x1F, 0x18];

/// Events of updates, with what the driver needs to decode them.
struct Log {
    flavor: Flavor,
    events: Vec<DriverEvent>,
    tables: HashMap<u64, TableMapEvent<'static>>,
}

pub(super) async fn run(plan: Plan, database: &Database) -> Res<Vec<Series>> {
    progress("follower: decoding rows");
    let log = Log::record(database).await?;
    let mut series = ["rule", "all", "driver"].map(Series::new);
    for _ in 0..plan.rounds {
        for series in &mut series {
            let clock = Clock::start();
            let rows = match series.name.as_str() {
                "rule" => log.decode(&WANTED)?,
                "all" => log.decode(&ALL)?,
                _ => log.decode_by_driver()?,
            };
            let work = clock.stop(rows, rows);
            if rows != u64::from(ROWS) {
                return Err(format!("{} decoded {rows} rows", series.name).into());
            }
            series.rounds.push(work);
        }
    }
    Ok(series.into())
}

impl Log {
    /// Updates rows, and reads the log from its start.
    async fn record(database: &Database) -> Res<Self> {
        let mut conn = database.admin().await;
        let version: String = conn.query_first("SELECT VERSION()").await?.ok_or("no version")?;
        let flavor = if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::MySql };
        conn.query_drop(format!("UPDATE orders SET items = items + 1 WHERE id <= {ROWS}")).await?;
        let request = BinlogStreamRequest::new(4_243).with_non_blocking().with_filename(b"binlog.000001").with_pos(4);
        let mut stream = conn.get_binlog_stream(request).await?;
        let (mut events, mut tables) = (Vec::new(), HashMap::new());
        while let Some(event) = stream.try_next().await? {
            if !KINDS.contains(&event.header().event_type_raw()) {
                continue;
            }
            if let Some(EventData::RowsEvent(rows)) = event.read_data()?
                && let Some(table) = stream.get_tme(rows.table_id())
            {
                tables.insert(rows.table_id(), table.clone());
            }
            events.push(event);
        }
        Ok(Self { flavor, events, tables })
    }

    fn decode(&self, wanted: &[usize]) -> Res<u64> {
        let (mut decoder, mut decoded) = (Decoder::new(self.flavor), 0);
        for event in &self.events {
            let header = event.header();
            let raw = RawEvent {
                kind: header.event_type_raw(),
                timestamp: header.timestamp(),
                server_id: header.server_id(),
                log_pos: header.log_pos(),
                flags: header.flags_raw(),
                body: event.data(),
            };
            if let Event::Rows(rows) = decoder.decode(raw)? {
                for change in rows.changes(wanted) {
                    black_box(change?);
                    decoded += 1;
                }
            }
        }
        Ok(decoded)
    }

    fn decode_by_driver(&self) -> Res<u64> {
        let mut decoded = 0;
        for event in &self.events {
            if let Some(EventData::RowsEvent(rows)) = event.read_data()?
                && let Some(table) = self.tables.get(&rows.table_id())
            {
                for row in rows.rows(table) {
                    black_box(row?);
                    decoded += 1;
                }
            }
        }
        Ok(decoded)
    }
}
