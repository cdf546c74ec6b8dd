use super::*;
use crate::rules::{Reason, Server, TableName};
use crate::statement::Statement;

fn rule(template: &str) -> Rule {
    Rule::table("shop.orders").all("orders").tag(template)
}

#[track_caller]
fn whole(plan: &Plan, label: &str) {
    assert_eq!(plan.whole().map(Reason::label), Some(label), "{plan:?}");
    check(&effects_of(plan, &[inserted(vec![])]), &[&format!("shop.orders: {label}")]);
}

#[test]
fn a_table_without_rules_is_ignored() {
    let rules = Rules::new([Rule::table("shop.other").all("x"), Rule::table("other.orders").all("x")]).unwrap();
    let plan = rules.plan(&orders());
    assert!(plan.is_ignored() && plan.whole().is_none() && plan.wanted().is_empty());
    check(&effects_of(&plan, &[inserted(vec![])]), &[]);
}

#[test]
fn columns_are_found_by_name_whatever_the_case() {
    assert_eq!(plan(rule("{STATE}-{Id}-{state}"), &orders()).wanted(), [0, 3]);
    whole(&plan(rule("{unknown}"), &orders()), "no_column");
    whole(&plan(rule("{id}").columns(["unknown"]), &orders()), "no_column");
}

#[test]
fn a_binlog_without_metadata_means_the_whole_table() {
    let (mut names, mut signs, mut charsets) = (orders(), orders(), orders());
    names.columns.iter_mut().for_each(|column| column.name = None);
    whole(&plan(rule("{id}"), &names), "metadata");
    assert!(plan(Rule::table("shop.orders").all("orders"), &names).whole().is_none());
    signs.columns.iter_mut().for_each(|column| column.unsigned = None);
    whole(&plan(rule("{id}"), &signs), "metadata");
    assert!(plan(rule("{state}"), &signs).whole().is_none());
    charsets.columns.iter_mut().for_each(|column| column.collation = None);
    whole(&plan(rule("{state}"), &charsets), "metadata");
    whole(&plan(rule("{kind}"), &table(vec![column("kind", ColumnType::Enum(1))])), "metadata");
}

#[test]
fn types_without_a_natural_text_are_refused() {
    for kind in [
        ColumnType::Float,
        ColumnType::Double,
        ColumnType::Json(4),
        ColumnType::Geometry(4),
        ColumnType::Vector(4),
        ColumnType::Set(1),
        ColumnType::Bit(1),
        ColumnType::Compressed(2),
        ColumnType::OldTemporal(4),
        ColumnType::Unknown(200),
    ] {
        let table = table(vec![column("id", ColumnType::Long), column("x", kind)]);
        whole(&plan(rule("{x}"), &table), "type");
        whole(&plan(rule("{id}").param("X", "{x}"), &table), "type");
        // A rule may still ask whether it changed.
        assert!(plan(rule("{id}").columns(["x"]), &table).whole().is_none());
    }
}

#[test]
fn text_of_a_charset_without_ascii_is_refused() {
    let mut table = orders();
    table.columns[3].collation = Some(54); // utf16_general_ci
    whole(&plan(rule("{state}"), &table), "type");
}

#[test]
fn mariadb_has_types_that_look_like_binary() {
    let mut columns = vec![column("id", ColumnType::Char(16)), column("ip", ColumnType::Char(4))];
    columns.push(column("hash", ColumnType::Char(20)));
    columns.iter_mut().for_each(|column| column.collation = Some(63));
    let table = table(columns);
    for (name, is_refused) in [("id", true), ("ip", true), ("hash", false)] {
        let rules = Rules::new([rule(&format!("{{{name}}}"))]).unwrap();
        assert!(rules.plan(&table).whole().is_none());
        let plan = rules.server(Server { mariadb: true, ignore_case: false }).plan(&table);
        assert_eq!(plan.whole().is_some(), is_refused, "{name}");
    }
}

#[test]
fn names_of_tables_ignore_case_if_the_server_does() {
    let rules = Rules::new([Rule::table("Shop.Orders").all("orders")]).unwrap();
    assert!(rules.plan(&orders()).is_ignored());
    let rules = rules.server(Server { mariadb: false, ignore_case: true });
    assert!(!rules.plan(&orders()).is_ignored());
    assert_eq!(rules.all_of(&TableName::new("shop", "orders")).tags, ["orders".into()]);
    check(&touched(&rules, "TRUNCATE ORDERS", "SHOP"), &["Shop.Orders: statement"]);
}

fn touched(rules: &Rules, text: &str, schema: &str) -> Effects {
    let mut effects = Effects::new();
    rules.apply_statement(&Statement::read(text.as_bytes()), schema, &mut effects);
    effects
}

#[test]
fn statements_mean_whole_tables() {
    let rules = ["shop.orders", "shop.prices", "stage.orders"].map(|table| Rule::table(table).all(table));
    let rules = Rules::new(rules).unwrap();
    check(&touched(&rules, "TRUNCATE orders", "shop"), &["shop.orders: statement"]);
    check(&touched(&rules, "TRUNCATE stage.orders", ""), &["stage.orders: statement"]);
    check(&touched(&rules, "DROP TABLE orders, prices", "shop"), &["shop.orders: statement", "shop.prices: statement"]);
    check(&touched(&rules, "DROP DATABASE shop", "stage"), &["shop.orders: statement", "shop.prices: statement"]);
    check(&touched(&rules, "GRANT ALL ON shop.orders TO a", "shop"), &[]);
    check(&touched(&rules, "COMMIT", "shop"), &[]);
    check(&touched(&rules, "CALL p()", "shop"), &["everything: unclear"]);
}

#[test]
fn a_table_is_marked_if_it_has_rules() {
    let rules = Rules::new([Rule::table("shop.orders").all("orders")]).unwrap();
    let mut effects = Effects::new();
    rules.mark_whole("shop", "unknown", &Reason::Unclear, &mut effects);
    assert!(effects.is_empty());
    rules.mark_whole("shop", "orders", &Reason::Other("a row can't be decoded".into()), &mut effects);
    rules.mark_whole("shop", "orders", &Reason::Unclear, &mut effects);
    check(&effects, &["shop.orders: other"]);
}
