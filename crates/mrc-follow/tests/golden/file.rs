//! Reads the events of a binlog file.

use std::path::{Path, PathBuf};

use mrc_follow::event::{Flavor, RawEvent};

/// Returns the path of a file beside the tests.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Returns a text file.
pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A recorded binlog.
pub(crate) struct Binlog {
    pub(crate) flavor: Flavor,
    bytes: Vec<u8>,
}

/// The recorded files, without `.binlog`.
pub(crate) const FILES: [&str; 8] = [
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
    pub(crate) fn open(name: &str) -> Self {
        let bytes = std::fs::read(path(&format!("{name}.binlog"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(bytes[..4], *b"\xFEbin");
        Self { flavor: if name.starts_with("mysql") { Flavor::MySql } else { Flavor::MariaDb }, bytes }
    }

    /// Returns the events. Each has a checksum of 4 bytes, which is cut off.
    pub(crate) fn events(&self) -> Vec<RawEvent<'_>> {
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
