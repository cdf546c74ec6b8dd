//! Tests of rules, with tables and rows made by hand.

mod config;
mod plan;
mod recorded;
mod values;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Effects, Plan, Reason, Rule, Rules, TableName};
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

/// A rule with tags and params, and one with few tags.
fn plans() -> [Plan; 2] {
    let many = Rule::table("shop.orders").all("orders").tag("orders:{store_id}").param("State", "{state}");
    let few = Rule::table("shop.prices").all("prices").tag("prices:{store_id}").max_tags(2);
    let rules = Rules::new([many.columns(["state"]), few]).unwrap();
    let mut prices = orders();
    prices.name = "prices".into();
    [rules.plan(&orders()), rules.plan(&prices)]
}

#[derive(Debug, Clone)]
struct Row(bool, Option<i64>, Option<(i64, &'static str)>);

impl Row {
    fn apply(&self, plans: &[Plan; 2], effects: &mut Effects) {
        let Self(is_few, before, after) = self;
        let image = |store: i64, state: &'static str| match is_few {
            true => vec![Cell::Int(store)],
            false => vec![Cell::Int(store), Cell::Bytes(state.as_bytes())],
        };
        let before = before.map(|store| image(store, "open"));
        let change = Change { before, after: after.map(|(store, state)| image(store, state)) };
        plans[usize::from(*is_few)].apply(&change, effects);
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let after = (0..9_i64, prop::sample::select(vec!["open", "paid"]));
    let row = (prop::bool::weighted(0.1), prop::option::of(0..9_i64), prop::option::weighted(0.9, after));
    prop::collection::vec(row.prop_map(|(few, before, after)| Row(few, before, after)), 0..12)
}

proptest! {
    /// The merged effects invalidate the same as both, and nothing else.
    #[test]
    fn merging_is_applying_both(one in rows(), two in rows()) {
        let plans = plans();
        let of = |rows: &[Row]| {
            let mut effects = Effects::new();
            rows.iter().for_each(|row| row.apply(&plans, &mut effects));
            effects
        };
        // The first reason stays, so reasons aren't compared.
        let listed = |effects: &Effects| -> BTreeSet<String> {
            listed(effects).iter().filter_map(|line| line.split(": ").next().map(str::to_owned)).collect()
        };
        let (first, second) = (of(&one), of(&two));
        let expect: BTreeSet<_> = listed(&first).union(&listed(&second)).cloned().collect();
        let mut merged = first;
        merged.merge(second);
        prop_assert_eq!(listed(&merged), expect.clone());
        // In one transaction, a table becomes whole at the same row or at an earlier one.
        let both = of(&[one, two].concat());
        let (both_whole, whole) = (both.whole().len(), merged.whole().len());
        prop_assert!(both_whole >= whole);
        if both_whole == 0 {
            prop_assert_eq!(listed(&both), expect);
        }
    }
}

#[test]
fn the_first_reason_stays() {
    let table = TableName::new("shop", "orders");
    let (mut one, mut two) = (Effects::new(), Effects::new());
    assert!(one.is_empty());
    one.mark_whole(&table, Reason::Metadata);
    one.mark_whole(&table, Reason::Unclear);
    two.mark_whole(&table, Reason::Statement);
    two.mark_everything(Reason::Unclear);
    two.mark_everything(Reason::Statement);
    one.merge(two);
    check(&one, &["shop.orders: metadata", "everything: unclear"]);
}

#[test]
fn rows_add_nothing_to_everything() {
    let mut effects = Effects::new();
    effects.mark_everything(Reason::Unclear);
    Row(false, None, Some((1, "open"))).apply(&plans(), &mut effects);
    check(&effects, &["everything: unclear"]);
}

#[test]
fn the_number_of_tags_is_bounded_over_all_rules() {
    let rule = |table: &str| Rule::table(format!("shop.{table}")).all("x").tag(format!("{table}:{{id}}"));
    let rules = Rules::new([rule("orders").max_tags(usize::MAX), rule("prices")]).unwrap();
    let mut prices = orders();
    prices.name = "prices".into();
    let (orders, prices) = (rules.plan(&orders()), rules.plan(&prices));
    let mut effects = Effects::new();
    for id in 0..100_000 {
        orders.apply(&inserted(vec![Cell::Int(id)]), &mut effects);
    }
    assert!(effects.is_full() && effects.whole().len() == 0);
    // The same tag again is no more tag.
    orders.apply(&inserted(vec![Cell::Int(7)]), &mut effects);
    assert_eq!(effects.whole().len(), 0);
    prices.apply(&inserted(vec![Cell::Int(7)]), &mut effects);
    let whole: Vec<_> = effects.whole().map(|(table, reason)| (table.to_string(), reason.clone())).collect();
    assert_eq!(whole, [("shop.prices".into(), Reason::TooMany { limit: Effects::MOST })]);
    assert_eq!(effects.len(), Effects::MOST);
}

#[test]
fn the_bytes_of_tags_are_bounded() {
    let plan = plan(Rule::table("shop.orders").all("x").tag("{state}").max_tags(usize::MAX), &orders());
    let mut effects = Effects::new();
    for number in 0..20_000 {
        let long = format!("{number:01000}");
        plan.apply(&inserted(vec![Cell::Bytes(long.as_bytes())]), &mut effects);
    }
    assert!(effects.is_full() && effects.len() < 17_000, "{}", effects.len());
    assert_eq!(effects.whole().len(), 1);
}
