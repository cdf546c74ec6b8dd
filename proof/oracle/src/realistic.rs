//! A load like a shop's, for the figure of precision: mostly equalities on one table.

use mrc_core::{Params, Value};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;
use crate::query::Query;
use crate::schema::{Schema, Table};

const ROWS: i64 = 400;
const STORES: i64 = 60;
const STATES: [&str; 2] = ["open", "paid"];

/// Orders (`a` store, `b` state, `c` customer), customers (`a` store, `b` name), payments (`a`
/// order).
pub(crate) fn schema() -> Schema {
    let table = |name: &str, columns: &[(&'static str, Kind)]| Table::new(name, columns.to_vec());
    let tables = vec![
        table("t0", &[("id", Kind::Int), ("a", Kind::Int), ("b", Kind::Enum), ("c", Kind::Int)]),
        table("t1", &[("id", Kind::Int), ("a", Kind::Int), ("b", Kind::Text(0))]),
        table("t2", &[("id", Kind::Int), ("a", Kind::Int), ("b", Kind::Enum)]),
    ];
    Schema { tables, views: Vec::new() }
}

/// Returns the indexes, and the rows that the tables begin with.
pub(crate) fn first_rows(rng: &mut SmallRng) -> Vec<String> {
    let mut statements = vec![
        "ALTER TABLE t0 ADD KEY (a), ADD KEY (c)".into(),
        "ALTER TABLE t1 ADD KEY (a)".into(),
        "ALTER TABLE t2 ADD KEY (a)".into(),
    ];
    for id in 1..=ROWS {
        let (store, state, other) = (rng.random_range(1..=STORES), rng.random_range(1..=2), rng.random_range(1..=ROWS));
        statements.push(format!("INSERT INTO t0 VALUES ({id}, {store}, {state}, {other})"));
        statements.push(format!("INSERT INTO t1 VALUES ({id}, {store}, 'name {other}')"));
        statements.push(format!("INSERT INTO t2 VALUES ({id}, {other}, {state})"));
    }
    statements
}

/// Returns a query: 80 % of one table, 15 % joins, 5 % reports.
pub(crate) fn query(rng: &mut SmallRng) -> Query {
    let (store, id) = (rng.random_range(1..=STORES), rng.random_range(1..=ROWS));
    let state = STATES[rng.random_range(0..STATES.len())];
    let (sql, values): (&str, Vec<Value>) = match rng.random_range(0..100) {
        0..25 => ("SELECT * FROM t0 WHERE id = ?", vec![id.into()]),
        25..50 => ("SELECT * FROM t0 WHERE a = ? AND b = ?", vec![store.into(), state.into()]),
        50..62 => ("SELECT * FROM t0 WHERE c = ? ORDER BY id", vec![id.into()]),
        62..72 => ("SELECT * FROM t1 WHERE a = ?", vec![store.into()]),
        72..80 => ("SELECT * FROM t2 WHERE a = ?", vec![id.into()]),
        80..88 => (
            "SELECT o.id, c.b FROM t0 o JOIN t1 c ON c.id = o.c AND c.a = ? WHERE o.a = ?",
            vec![store.into(), store.into()],
        ),
        88..95 => ("SELECT o.id, p.id FROM t0 o LEFT JOIN t2 p ON p.a = o.id WHERE o.id = ?", vec![id.into()]),
        95..98 => ("SELECT b, COUNT(*) FROM t0 WHERE a = ? GROUP BY b", vec![store.into()]),
        _ => ("SELECT COUNT(*), SUM(a) FROM t2 WHERE a > ?", vec![id.into()]),
    };
    let mut params = Params::new();
    values.into_iter().for_each(|value| params.push("P", value));
    // A batch takes fewer trips than prepared statements.
    Query::fixed(sql, params).in_text()
}

/// Returns a change of one row.
pub(crate) fn change(rng: &mut SmallRng) -> Vec<String> {
    let (store, id) = (rng.random_range(1..=STORES), rng.random_range(1..=ROWS));
    let state = rng.random_range(1..=2);
    vec![match rng.random_range(0..10) {
        0..4 => format!("UPDATE t0 SET b = {state} WHERE id = {id}"),
        4..6 => format!("REPLACE INTO t0 VALUES ({id}, {store}, {state}, {})", rng.random_range(1..=ROWS)),
        6 => format!("UPDATE t1 SET b = 'name {store}' WHERE id = {id}"),
        7 => format!("DELETE FROM t2 WHERE id = {id}"),
        _ => format!("REPLACE INTO t2 VALUES ({id}, {}, {state})", rng.random_range(1..=ROWS)),
    }]
}
