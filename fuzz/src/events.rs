//! Events of a binlog, damaged or not, in any order.

use crate::event::{Cell, Decoder, Event, Flavor, RawEvent, Rows};

/// Decodes a stream: a byte for the server, then for each event its type, the length of its body in
/// two bytes, and the body. The corpus has such streams, made of recorded binlogs.
pub fn events(data: &[u8]) {
    let Some((flavor, mut rest)) = data.split_first() else { return };
    let mut decoder = Decoder::new(if flavor & 1 == 0 { Flavor::MySql } else { Flavor::MariaDb });
    while let Some(([kind, low, high], bodies)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (body, after) = bodies.split_at(length.min(bodies.len()));
        decode(&mut decoder, RawEvent { kind: *kind, timestamp: 0, server_id: 1, log_pos: 0, flags: 0, body });
        rest = after;
    }
}

fn decode(decoder: &mut Decoder, raw: RawEvent<'_>) {
    match decoder.decode(raw) {
        Ok(Event::Rows(rows)) => check(&rows),
        Ok(Event::Payload(payload)) => {
            for event in payload.events().into_iter().flatten().flatten().take(1000) {
                decode(decoder, event.as_raw());
            }
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads the rows twice: with all cells and with every second one.
fn check(rows: &Rows<'_>) {
    let Some(table) = rows.table() else {
        assert!(rows.changes(&[]).all(|change| change.is_err()), "rows without a table");
        return;
    };
    let count = table.columns.len();
    let all: Vec<usize> = (0..count).collect();
    let some: Vec<usize> = (0..count).rev().step_by(2).collect();
    let mut with_some = rows.changes(&some);
    for change in rows.changes(&all) {
        let Some(other) = with_some.next() else { panic!("a row is missing") };
        let Ok(change) = change else { return };
        let other = other.unwrap_or_else(|error| panic!("an error only with fewer columns: {error}"));
        for (image, other) in [(&change.before, &other.before), (&change.after, &other.after)] {
            let (Some(image), Some(other)) = (image, other) else { continue };
            for (place, index) in some.iter().enumerate() {
                let (left, right) = (&image[*index], &other[place]);
                let is_nan =
                    matches!(left, Cell::Float(f) if f.is_nan()) || matches!(left, Cell::Double(d) if d.is_nan());
                assert!(is_nan || left == right, "{left:?} and {right:?} of column {index}");
            }
        }
    }
    assert!(with_some.next().is_none(), "a row too many");
}
