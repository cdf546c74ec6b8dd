//! The speed of the decoder, beside that of the driver's own.

use std::hint::black_box;
use std::time::Duration;

use mrc_follow::event::{Decoder, Event, RawEvent};
use mysql_async::binlog::BinlogVersion;
use mysql_async::binlog::events::{Event as DriverEvent, EventData, FormatDescriptionEvent};

use crate::file::Binlog;

/// The processor's time that each measurement takes.
const TIME: Duration = Duration::from_secs(1);

/// Prints the rows a second on one core and the ratio:
/// `cargo test --release -p mrc-follow --test golden speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed_of_events_of_8_kib() {
    for (file, table, wanted) in [
        ("mysql-statements", "orders", &[1][..]),
        ("mysql-statements", "orders", &[0, 1, 2, 3, 4]),
        ("mysql-values", "v_integer", &[0, 8]),
        ("mysql-values", "v_text", &[1]),
        ("mysql-values", "v_datetime", &[2, 8]),
        ("mysql-values", "v_wide", &[0]),
    ] {
        let binlog = Binlog::open(file);
        let (described, body) = large(&binlog, table);
        let rows = RawEvent { kind: 0x1E, body: &body, ..described };
        let mut decoder = Decoder::new(binlog.flavor);
        let ours = rate(|| {
            decoder.decode(described).unwrap();
            let Event::Rows(rows) = decoder.decode(rows).unwrap() else { panic!("no rows") };
            rows.changes(wanted).map(|change| drop(black_box(change.unwrap()))).count()
        });
        let description = driver_event(described);
        let Some(EventData::TableMapEvent(description)) = description.read_data().unwrap() else { panic!("no table") };
        let driver = rate(|| {
            let event = driver_event(rows);
            let Some(EventData::RowsEvent(rows)) = event.read_data().unwrap() else { panic!("no rows") };
            rows.rows(&description).map(|row| drop(black_box(row.unwrap()))).count()
        });
        println!("{table}, {} columns: {ours:.0} rows/s, driver {driver:.0}, {:.1}×", wanted.len(), ours / driver);
    }
}

/// Returns the description of a table and an event of about 8 KiB with its first inserted rows,
/// repeated.
fn large<'a>(binlog: &'a Binlog, name: &str) -> (RawEvent<'a>, Vec<u8>) {
    let mut decoder = Decoder::new(binlog.flavor);
    let mut described = None;
    for raw in binlog.events() {
        match decoder.decode(raw) {
            Ok(Event::TableMap(table)) if table.name == name => described = Some((raw, table.columns.len())),
            Ok(Event::Rows(rows)) if rows.table().is_some_and(|table| table.name == name) => {
                let (described, columns) = described.unwrap();
                // The table, the flags, the empty extra data, the columns.
                let width = if columns < 251 { 1 } else { 3 };
                let (header, data) = raw.body.split_at(10 + width + columns.div_ceil(8));
                let mut body = header.to_vec();
                while body.len() < 8 << 10 {
                    body.extend_from_slice(data);
                }
                return (described, body);
            }
            _ => {}
        }
    }
    panic!("{name} has no rows");
}

fn driver_event(raw: RawEvent<'_>) -> DriverEvent {
    let mut bytes = vec![0; 19];
    bytes[4] = raw.kind;
    let size = u32::try_from(19 + raw.body.len()).unwrap();
    bytes[9..13].copy_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(raw.body);
    DriverEvent::read(&FormatDescriptionEvent::new(BinlogVersion::Version4), &bytes[..]).unwrap()
}

/// Returns the rows a second of a step that returns its number of rows.
fn rate(mut step: impl FnMut() -> usize) -> f64 {
    let (start, mut rows) = (processor_time(), 0);
    loop {
        (0..100).for_each(|_| rows += step());
        let time = processor_time() - start;
        if time > TIME {
            return rows as f64 / time.as_secs_f64();
        }
    }
}

/// Returns the time for which this thread has had a processor. Other programs don't count.
fn processor_time() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(times.split(' ').next().unwrap().parse().unwrap())
}
