//! Recorded binlogs of MySQL 9.7 and MariaDB 10.11, decoded. The script `record` records them.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test stops at what it doesn't expect")]

mod faults;
mod render;
mod robust;
mod selected;

use std::path::{Path, PathBuf};

use mrc_follow::event::{Decoder, Flavor, RawEvent};

/// Compares with the files that `MRC_GOLDEN=write cargo test` writes. Read their changes.
#[test]
fn events_are_decoded_as_before() {
    for name in FILES {
        let binlog = Binlog::open(name);
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

/// The recorded files, without `.binlog`.
const FILES: [&str; 8] = [
    "mysql-values",
    "mysql-statements",
    "mysql-minimal",
    "mysql-compressed",
    "mariadb-values",
    "mariadb-statements",
    "mariadb-minimal",
    "mariadb-compressed",
];

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
