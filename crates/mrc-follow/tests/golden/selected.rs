//! Decoded rows beside what SELECT showed.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use mrc_follow::event::{Cell, Change, Decoder, Event, Table};

use crate::render::hex;
use crate::{Binlog, text};

#[test]
fn rows_have_the_values_that_select_shows() {
    ["mysql", "mariadb"].into_iter().for_each(compare);
}

/// The rows by table and first cell.
type Rows = BTreeMap<String, BTreeMap<String, String>>;

fn compare(server: &str) {
    let mut decoded = Rows::new();
    let binlog = Binlog::open(&format!("{server}-values"));
    let mut decoder = Decoder::new(binlog.flavor);
    for raw in binlog.events() {
        let event = decoder.decode(raw).unwrap();
        let Event::Rows(rows) = event else { continue };
        let table = rows.table().unwrap();
        if !table.name.starts_with("v_") {
            continue;
        }
        let all: Vec<usize> = (0..table.columns.len()).collect();
        for change in rows.changes(&all) {
            let Change { after: Some(image), .. } = change.unwrap() else { continue };
            let cells: Vec<String> = image.iter().enumerate().map(|(index, cell)| show(table, index, cell)).collect();
            decoded.entry(table.name.clone()).or_default().insert(cells[0].clone(), cells.join("\t"));
        }
    }
    let mut selected = Rows::new();
    let mut table = String::new();
    for line in text(&format!("{server}-selected.tsv")).lines() {
        match line.strip_prefix("# ") {
            Some(name) => name.clone_into(&mut table),
            None => {
                let first = line.split('\t').next().unwrap().to_owned();
                selected.entry(table.clone()).or_default().insert(first, line.to_owned());
            }
        }
    }
    assert!(selected.len() >= 10, "{server}: tables are missing");
    for (table, rows) in &selected {
        assert_eq!(rows, &decoded[table], "{server}: {table}");
    }
    assert_eq!(selected, decoded);
}

/// Returns a cell as the SELECT of `selected.sql` shows the column.
fn show(table: &Table, index: usize, cell: &Cell<'_>) -> String {
    let name = table.columns[index].name.as_deref().unwrap();
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Opaque => "opaque".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::UInt(number) | Cell::Bits(number) => number.to_string(),
        Cell::Enum(number) => number.to_string(),
        Cell::Float(number) => number.to_string(),
        Cell::Double(number) => number.to_string(),
        Cell::Decimal(text) | Cell::Date(text) | Cell::Time(text) | Cell::DateTime(text) => text.clone(),
        Cell::Timestamp { seconds, micros, digits } => match digits {
            0 => seconds.to_string(),
            _ => format!("{seconds}.{}", &format!("{micros:06}")[..usize::from(*digits)]),
        },
        Cell::Bytes(bytes) => bytes_of(table, name, bytes),
        Cell::Padded(bytes) => bytes_of(table, name, bytes),
        other => panic!("{name}: {other:?}"),
    }
}

fn bytes_of(table: &Table, name: &str, bytes: &[u8]) -> String {
    match (table.name.as_str(), name) {
        ("v_mariadb", "i4") => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap()).to_string(),
        ("v_mariadb", "i6") => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap()).to_string(),
        ("v_mariadb", "u") => {
            let mut text = hex(bytes).to_lowercase();
            [8, 13, 18, 23].into_iter().for_each(|at| text.insert(at, '-'));
            text
        }
        _ => hex(bytes),
    }
}
