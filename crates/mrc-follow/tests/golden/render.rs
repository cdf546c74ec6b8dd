//! Events as text, a line each.

use std::fmt::Write;

use mrc_follow::event::{Cell, Column, Decoder, Event, RawEvent, Table};

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
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
