//! Events as text, a line each, and decoded rows beside what SELECT showed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use mrc_follow::event::{Cell, Change, Column, Decoder, Event, RawEvent, Table};

use crate::{Binlog, text};

/// Returns the events of a stream as text.
pub(crate) fn render<'a>(decoder: &mut Decoder, events: impl IntoIterator<Item = RawEvent<'a>>) -> String {
    let mut text = String::new();
    for raw in events {
        match decoder.decode(raw) {
            Ok(event) => push(decoder, &mut text, &event),
            Err(error) => writeln!(text, "error: {error}").unwrap(),
        }
    }
    text
}

fn push(decoder: &mut Decoder, text: &mut String, event: &Event<'_>) {
    match event {
        Event::TableMap(table) => push_table(text, table),
        Event::Query(query) => {
            let (schema, statement) = (bytes(query.schema), bytes(&query.text));
            writeln!(text, "query in {schema}: {statement}, error {}", query.error).unwrap();
        }
        Event::Rows(rows) => {
            let table = rows.table().expect("a description stands before the rows");
            let all: Vec<usize> = (0..table.columns.len()).collect();
            let last = if rows.is_last_of_statement() { ", the last" } else { "" };
            writeln!(text, "{:?} in {}{last}", rows.operation(), table.name).unwrap();
            for change in rows.changes(&all) {
                match change {
                    Ok(change) => {
                        for (when, image) in [("before", change.before), ("after", change.after)] {
                            let Some(image) = image else { continue };
                            let cells: Vec<_> = image.iter().map(cell).collect();
                            writeln!(text, "  {when} {}", cells.join(", ")).unwrap();
                        }
                    }
                    Err(error) => writeln!(text, "  error: {error}").unwrap(),
                }
            }
        }
        Event::XaPrepare(xa) => {
            let (transaction, branch) = (bytes(xa.transaction), bytes(xa.branch));
            let phases = if xa.one_phase { "one phase" } else { "two phases" };
            writeln!(text, "XA prepare {transaction}, {branch}, {}, {phases}", xa.format).unwrap();
        }
        Event::Payload(payload) => {
            writeln!(text, "payload {{").unwrap();
            for event in payload.events().unwrap() {
                let event = event.unwrap();
                text.push_str(&render(decoder, [event.as_raw()]));
            }
            writeln!(text, "}}").unwrap();
        }
        Event::Rotate { position, file } => writeln!(text, "rotate to {}, {position}", bytes(file)).unwrap(),
        Event::FormatDescription { server_version } => writeln!(text, "file of {}", bytes(server_version)).unwrap(),
        other => writeln!(text, "{other:?}").unwrap(),
    }
}

fn push_table(text: &mut String, table: &Table) {
    writeln!(text, "table {} {}.{}", table.id, table.schema, table.name).unwrap();
    for Column { name, kind, unsigned, nullable, collation, members } in &table.columns {
        write!(text, "  {} {kind:?}", name.as_deref().unwrap_or("-")).unwrap();
        match unsigned {
            Some(true) => text.push_str(" unsigned"),
            Some(false) => text.push_str(" signed"),
            None => {}
        }
        if *nullable {
            text.push_str(" null");
        }
        if let Some(collation) = collation {
            write!(text, " collation {collation}").unwrap();
        }
        if !members.is_empty() {
            let members: Vec<_> = members.iter().map(|member| bytes(member)).collect();
            write!(text, " {}", members.join(",")).unwrap();
        }
        text.push('\n');
    }
}

fn cell(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Bytes(value) => bytes(value),
        Cell::Padded(value) => format!("padded {}", bytes(value)),
        other => format!("{other:?}"),
    }
}

fn bytes(bytes: &[u8]) -> String {
    const SHOWN: usize = 400;
    match str::from_utf8(bytes) {
        Ok(_) if bytes.len() > SHOWN => format!("{} bytes", bytes.len()),
        Ok(text) => format!("{text:?}"),
        Err(_) => hex(bytes),
    }
}

/// Returns bytes as SQL's `HEX` does.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

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
