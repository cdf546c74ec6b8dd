//! Measures the encoder: rows to JSON, in memory.

use std::hint::black_box;

use bytes::Bytes;
use mrc::RowFormat;
use mrc::rows::{Cell, Column, ColumnKind, Date, DateTime, RowEncoder};
use serde_json::Value;

use crate::Res;
use crate::args::Way;
use crate::cpu::Clock;
use crate::results::Work;

const ROWS: u32 = 10_000;

/// A row as a driver returns it.
struct Row {
    id: i64,
    state: &'static str,
    customer: String,
    total: String,
    weight: f64,
    note: Option<String>,
    created_at: DateTime,
    items: i64,
}

/// Encodes 10,000 rows, `calls` times.
pub(super) fn measure(way: Way, calls: u64) -> Res<Work> {
    let rows = (1..=ROWS).map(row).collect::<Res<Vec<Row>>>()?;
    let encode = match way {
        Way::Fred => through_values,
        _ => through_encoder,
    };
    encode(&rows)?;
    let clock = Clock::start();
    let mut seen = 0;
    for _ in 0..calls {
        seen += black_box(encode(black_box(&rows))?).len() as u64;
    }
    Ok(clock.stop(calls, seen))
}

fn row(id: u32) -> Res<Row> {
    let minute = u8::try_from(id % 60)?;
    Ok(Row {
        id: id.into(),
        state: ["open", "shipped", "cancelled"].into_iter().cycle().nth(id as usize % 3).unwrap_or_default(),
        customer: format!("Customer {:08}", id * 7919 % 1_000_003),
        total: format!("{}.{:02}", 10 + id * 31 % 9_000, id % 99 + 1),
        weight: f64::from(id % 1_000) * 0.37 + 0.005,
        note: id.is_multiple_of(3).then(|| format!("left at the \"back\" door, {id}")),
        created_at: Date::new(2025, 1, 15)?.at(10, minute, minute, 0)?,
        items: i64::from(id % 9) + 1,
    })
}

fn through_encoder(rows: &[Row]) -> Res<Bytes> {
    let mut encoder = RowEncoder::new(RowFormat::Canonical);
    encoder.columns(&[
        Column::new("id", ColumnKind::Int),
        Column::new("state", ColumnKind::Text),
        Column::new("customer", ColumnKind::Text),
        Column::new("total", ColumnKind::Decimal),
        Column::new("weight", ColumnKind::Double),
        Column::new("note", ColumnKind::Text),
        Column::new("created_at", ColumnKind::DateTime { fraction: 0 }),
        Column::new("items", ColumnKind::Int),
    ])?;
    for row in rows {
        encoder.begin_row();
        encoder.cell(Cell::Int(row.id))?;
        encoder.cell(Cell::Text(row.state))?;
        encoder.cell(Cell::Text(&row.customer))?;
        encoder.cell(Cell::Decimal(&row.total))?;
        encoder.cell(Cell::Double(row.weight))?;
        encoder.cell(row.note.as_deref().map_or(Cell::Null, Cell::Text))?;
        encoder.cell(Cell::DateTime(row.created_at))?;
        encoder.cell(Cell::Int(row.items))?;
        encoder.end_row();
    }
    Ok(encoder.finish()?)
}

fn through_values(rows: &[Row]) -> Res<Bytes> {
    let mut array = Vec::with_capacity(rows.len());
    for row in rows {
        let mut object = serde_json::Map::new();
        object.insert("id".into(), row.id.into());
        object.insert("state".into(), row.state.into());
        object.insert("customer".into(), row.customer.as_str().into());
        object.insert("total".into(), row.total.parse::<f64>()?.into());
        object.insert("weight".into(), row.weight.into());
        object.insert("note".into(), row.note.as_deref().into());
        object.insert("created_at".into(), iso(row.created_at).into());
        object.insert("items".into(), row.items.into());
        array.push(Value::Object(object));
    }
    Ok(serde_json::to_vec(&Value::Array(array))?.into())
}

fn iso(at: DateTime) -> String {
    let Date { year, month, day, .. } = at.date;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_print_the_same_documents() {
        let rows = (1..=50).map(|id| row(id).unwrap()).collect::<Vec<_>>();
        let parsed = |json: Bytes| serde_json::from_slice::<Value>(&json).unwrap();
        assert_eq!(parsed(through_encoder(&rows).unwrap()), parsed(through_values(&rows).unwrap()));
    }
}
