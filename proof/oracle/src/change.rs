//! Random changes of the data.

use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;
use crate::schema::{Schema, Table};

const MOST_ID: u32 = 7;

/// Returns the rows that a table begins with.
pub(crate) fn first_rows(schema: &Schema, rng: &mut SmallRng) -> Vec<String> {
    let mut rows = Vec::new();
    for table in &schema.tables {
        for id in 1..=rng.random_range(0..=MOST_ID - 2) {
            rows.push(insert(table, id, rng));
        }
    }
    rows
}

/// Returns one to three statements.
pub(crate) fn change(schema: &Schema, rng: &mut SmallRng) -> Vec<String> {
    let count = if rng.random_bool(0.8) { 1 } else { rng.random_range(2..=3) };
    (0..count).map(|_| statement(&schema.tables[rng.random_range(0..schema.tables.len())], rng)).collect()
}

/// Returns one statement that may change rows of the table.
pub(crate) fn statement(table: &Table, rng: &mut SmallRng) -> String {
    let id = rng.random_range(1..=MOST_ID);
    let name = &table.name;
    let others = &table.columns[1..];
    if others.is_empty() || rng.random_bool(0.35) {
        return insert(table, id, rng);
    }
    let (column, kind) = others[rng.random_range(0..others.len())];
    let to = value(kind, rng);
    match rng.random_range(0..6) {
        0 => format!("DELETE FROM {name} WHERE id = {id}"),
        1 => format!("UPDATE {name} SET {column} = {to} WHERE id < {id}"),
        2 => format!("UPDATE IGNORE {name} SET id = {} WHERE id = {id}", rng.random_range(1..=MOST_ID)),
        _ => format!("UPDATE {name} SET {column} = {to} WHERE id = {id}"),
    }
}

fn insert(table: &Table, id: u32, rng: &mut SmallRng) -> String {
    let values: String = table.columns[1..].iter().map(|(_, kind)| format!(", {}", value(*kind, rng))).collect();
    format!("REPLACE INTO {} VALUES ({id}{values})", table.name)
}

fn value(kind: Kind, rng: &mut SmallRng) -> &'static str {
    let is_nullable = !matches!(kind, Kind::DateNotNull | Kind::DateTime);
    if is_nullable && rng.random_bool(0.15) { "NULL" } else { kind.literal(rng) }
}
