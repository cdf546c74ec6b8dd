//! Recorded binlogs of MySQL 9.7 and MariaDB 10.11, decoded. The script `record` records them.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test stops at what it doesn't expect")]

mod faults;
mod file;
mod render;
mod robust;
mod selected;

use mrc_follow::event::Decoder;

use crate::file::{Binlog, FILES, path, text};

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
