//! Recorded binlogs of MySQL 9.7 and MariaDB 10.11, decoded. The script `record` records them.
//! Damaged events: any answer, but no panic and no endless loop.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test stops at what it doesn't expect")]

mod faults;
mod render;

use std::path::{Path, PathBuf};

use mrc_follow::event::{Decoder, Event, Flavor, RawEvent};
use proptest::prelude::*;

/// Compares with the files that `MRC_GOLDEN=write cargo test` writes. Read their changes.
#[test]
fn events_are_decoded_as_before() {
    for name in files() {
        let binlog = Binlog::open(&name);
        let rendered = render::render(&mut Decoder::new(binlog.flavor), binlog.events());
        let file = format!("{name}.txt");
        if std::env::var("MRC_GOLDEN").is_ok_and(|value| value == "write") {
            std::fs::write(path(&file), rendered).unwrap();
            continue;
        }
        assert!(rendered == text(&file), "{file} differs: MRC_GOLDEN=write, then git diff");
    }
}

/// Returns the path of a file beside the tests.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Returns a text file.
fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A recorded binlog.
struct Binlog {
    flavor: Flavor,
    bytes: Vec<u8>,
}

/// Returns the names of the recorded files, without `.binlog`.
fn files() -> Vec<String> {
    let of = |server: &str| ["values", "statements", "minimal", "compressed"].map(|part| format!("{server}-{part}"));
    [of("mysql"), of("mariadb")].concat()
}

impl Binlog {
    fn open(name: &str) -> Self {
        let bytes = std::fs::read(path(&format!("{name}.binlog"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(bytes[..4], *b"\xFEbin");
        Self { flavor: if name.starts_with("mysql") { Flavor::MySql } else { Flavor::MariaDb }, bytes }
    }

    /// Returns the events. Each has a checksum of 4 bytes, which is cut off.
    fn events(&self) -> Vec<RawEvent<'_>> {
        let (mut events, mut rest) = (Vec::new(), &self.bytes[4..]);
        while !rest.is_empty() {
            let u32_at = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let (event, after) = rest.split_at(u32_at(9) as usize);
            events.push(RawEvent {
                timestamp: u32_at(0),
                kind: rest[4],
                server_id: u32_at(5),
                log_pos: u32_at(13),
                flags: u16::from_le_bytes([rest[17], rest[18]]),
                body: &event[19..event.len() - 4],
            });
            rest = after;
        }
        events
    }
}

/// The damage to one event of a file: what is done, where, and with which bytes.
type Damage = (u8, prop::sample::Index, Vec<u8>);

fn damage() -> impl Strategy<Value = Damage> {
    (0..5_u8, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..20))
}

fn apply((what, at, bytes): &Damage, kind: &mut u8, body: &mut Vec<u8>) {
    let at = if body.is_empty() { 0 } else { at.index(body.len()) };
    match what {
        0 => body.extend_from_slice(bytes),
        1 => *kind = bytes[0],
        2 => body.truncate(at),
        3 => body.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (bytes[0] % 8)),
        _ => body.iter_mut().skip(at).zip(bytes.iter().take(4)).for_each(|(byte, new)| *byte = *new),
    }
}

/// Decodes an event with all its rows. Returns the number of rows and inner events.
fn exhaust(decoder: &mut Decoder, raw: RawEvent<'_>) -> usize {
    match decoder.decode(raw) {
        Ok(Event::Rows(rows)) => {
            let count = rows.table().map_or(0, |table| table.columns.len());
            let all: Vec<usize> = (0..count).collect();
            let changes = rows.changes(&all).count();
            let (none, ok) = (rows.changes(&[]).count(), rows.changes(&all).all(|change| change.is_ok()));
            assert!(!ok || none == changes, "the number of rows depends on the wanted columns");
            changes
        }
        Ok(Event::Payload(payload)) => {
            let events = payload.events().into_iter().flatten().flatten();
            events.map(|event| exhaust(decoder, event.as_raw())).sum()
        }
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_event_never_panics(
        file in prop::sample::select(files()),
        at in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let binlog = Binlog::open(&file);
        let events = binlog.events();
        let at = at.index(events.len());
        let mut decoder = Decoder::new(binlog.flavor);
        // The rows come soon after their table.
        for (index, raw) in events.iter().enumerate().skip(at.saturating_sub(3)).take(8) {
            let (mut kind, mut body) = (raw.kind, raw.body.to_vec());
            if index == at {
                damages.iter().for_each(|damage| apply(damage, &mut kind, &mut body));
            }
            exhaust(&mut decoder, RawEvent { kind, body: &body, ..*raw });
        }
    }
}

/// Every prefix of every description of a table, and of its rows.
#[test]
fn a_cut_event_is_an_error_and_never_fewer_rows() {
    for file in ["mysql-values", "mariadb-values", "mysql-minimal", "mariadb-minimal"] {
        let binlog = Binlog::open(file);
        let mut decoder = Decoder::new(binlog.flavor);
        let mut table = None;
        for raw in binlog.events() {
            match raw.kind {
                0x13 => table = Some(raw),
                0x17..=0x19 | 0x1E..=0x20 if raw.body.len() < 3000 => {
                    for length in 0..raw.body.len() {
                        decoder.decode(table.unwrap()).unwrap();
                        let raw = RawEvent { body: &raw.body[..length], ..raw };
                        let Ok(Event::Rows(rows)) = decoder.decode(raw) else { continue };
                        let whole = rows.changes(&[]).all(|change| change.is_ok());
                        // A cut between two rows can't be seen, but then the rows before it are
                        // whole.
                        assert!(!whole || rows.changes(&[]).count() > 0);
                    }
                }
                _ => {}
            }
            exhaust(&mut decoder, raw);
        }
    }
}
