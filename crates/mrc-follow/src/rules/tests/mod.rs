//! Tests of rules, with tables and rows made by hand.

mod config;
mod effects;
mod plan;
mod recorded;
mod values;

use std::collections::BTreeSet;

use super::{Effects, Plan, Rule, Rules};
use crate::event::{Cell, Change, Column, ColumnType, Image, Table};

/// A column with everything that `binlog_row_metadata=FULL` tells.
fn column(name: &str, kind: ColumnType) -> Column {
    let (unsigned, nullable, collation, members) = (Some(false), true, Some(45), Vec::new());
    Column { name: Some(name.to_owned()), kind, unsigned, nullable, collation, members }
}

fn table(columns: Vec<Column>) -> Table {
    Table { id: 1, schema: "shop".into(), name: "orders".into(), columns }
}

/// `shop.orders (id BIGINT, note TEXT, store_id INT, state VARCHAR(20))`
fn orders() -> Table {
    table(vec![
        column("id", ColumnType::LongLong),
        column("note", ColumnType::Blob(2)),
        column("store_id", ColumnType::Long),
        column("state", ColumnType::Varchar(80)),
    ])
}

fn plan(rule: Rule, table: &Table) -> Plan {
    Rules::new([rule]).unwrap().plan(table)
}

fn inserted(after: Image<'_>) -> Change<'_> {
    Change { before: None, after: Some(after) }
}

fn updated<'a>(before: Image<'a>, after: Image<'a>) -> Change<'a> {
    Change { before: Some(before), after: Some(after) }
}

fn deleted(before: Image<'_>) -> Change<'_> {
    Change { before: Some(before), after: None }
}

fn effects_of(plan: &Plan, changes: &[Change<'_>]) -> Effects {
    let mut effects = Effects::new();
    for change in changes {
        plan.apply(change, &mut effects);
    }
    effects
}

/// Tags, params as `NAME=VALUE`, and tables as `schema.table: label of the reason`, sorted.
fn listed(effects: &Effects) -> BTreeSet<String> {
    let tags = effects.tags().map(ToString::to_string);
    let params = effects.params();
    let params = params.iter().map(|param| format!("{}={:?}", param.name.as_deref().unwrap(), param.value));
    let whole = effects.whole().map(|(table, reason)| format!("{table}: {}", reason.label()));
    let everything = effects.everything().map(|reason| format!("everything: {}", reason.label()));
    tags.chain(params).chain(whole).chain(everything).collect()
}

#[track_caller]
fn check(effects: &Effects, expect: &[&str]) {
    let expect: BTreeSet<_> = expect.iter().map(ToString::to_string).collect();
    assert_eq!(listed(effects), expect);
}

/// An order's cells in the plan of a rule that reads `id`, `store_id`, `state`.
fn order(id: i64, store: i64, state: &str) -> Image<'_> {
    vec![Cell::Int(id), Cell::Int(store), Cell::Bytes(state.as_bytes())]
}
