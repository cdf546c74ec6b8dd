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
    use ColumnType::{Bit, Compressed, Double, Float, Geometry, Json, OldTemporal, Set, Unknown, Vector};
    let sized = [Json(4), Geometry(4), Vector(4), Set(1), Bit(1), Compressed(2), OldTemporal(4), Unknown(200)];
    for kind in [Float, Double].into_iter().chain(sized) {
        let table = table(vec![column("id", ColumnType::Long), column("x", kind)]);
        whole(&plan(rule("{x}"), &table), "type");
        whole(&plan(rule("{id}").param("X", "{x}"), &table), "type");
        // A rule may still ask whether it changed.
        assert!(plan(rule("{id}").columns(["x"]), &table).whole().is_none());
    }
    let mut table = orders();
    table.columns[3].collation = Some(54); // utf16_general_ci, whose texts have no ASCII.
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

fn order_rule() -> Rule {
    Rule::table("shop.orders").all("orders").tag("orders:{store_id}").tag("order:{id}").columns(["state"])
}

#[test]
fn a_row_counts_before_and_after_unless_nothing_that_counts_has_changed() {
    let plan = plan(order_rule(), &orders());
    assert_eq!(plan.wanted(), [0, 2, 3]);
    let of = |change: Change<'_>, expect: &[&str]| check(&effects_of(&plan, &[change]), expect);
    of(updated(order(1, 6, "open"), order(1, 7, "paid")), &["order:1", "orders:6", "orders:7"]);
    of(inserted(order(2, 6, "open")), &["order:2", "orders:6"]);
    of(deleted(order(3, 6, "open")), &["order:3", "orders:6"]);
    of(updated(order(1, 6, "open"), order(1, 6, "open")), &[]);
    of(updated(order(1, 6, "open"), order(1, 6, "paid")), &["order:1", "orders:6"]);
    // It moves, though no listed column has changed.
    of(updated(order(1, 6, "open"), order(1, 7, "open")), &["order:1", "orders:6", "orders:7"]);
}

#[test]
fn a_value_that_is_not_decoded_counts_as_changed() {
    let table = table(vec![column("id", ColumnType::Long), column("data", ColumnType::Json(4))]);
    let plan = plan(Rule::table("shop.orders").all("orders").tag("order:{id}").columns(["data"]), &table);
    let image = || vec![Cell::Int(1), Cell::Opaque];
    check(&effects_of(&plan, &[updated(image(), image())]), &["order:1"]);
}

#[test]
fn a_rule_without_templates_invalidates_its_tag_at_each_change() {
    let plan = plan(Rule::table("shop.orders").all("orders"), &orders());
    assert!(plan.wanted().is_empty());
    check(&effects_of(&plan, &[inserted(vec![])]), &["orders"]);
    check(&effects_of(&plan, &[updated(vec![], vec![])]), &["orders"]);
}

#[test]
fn a_missing_cell_means_the_whole_table() {
    let plan = plan(order_rule(), &orders());
    for image in [vec![Cell::Int(1), Cell::Absent, Cell::Absent], vec![Cell::Int(1)], vec![]] {
        let effects = effects_of(&plan, &[inserted(image)]);
        assert!(listed(&effects).contains("shop.orders: absent"), "{effects:?}");
    }
    // A MINIMAL image of an update: the key before, the changed column after.
    let minimal =
        updated(vec![Cell::Int(1), Cell::Absent, Cell::Absent], vec![Cell::Absent, Cell::Absent, Cell::Bytes(b"paid")]);
    assert!(listed(&effects_of(&plan, &[minimal])).contains("shop.orders: absent"));
    check(&effects_of(&plan, &[Change::default()]), &["shop.orders: other"]);
}

#[test]
fn a_transaction_with_too_many_tags_means_the_whole_table() {
    let plan = plan(order_rule().max_tags(4), &orders());
    let rows = |count| (0..count).map(|id| inserted(order(id, 6, "open"))).collect::<Vec<_>>();
    check(&effects_of(&plan, &rows(3)), &["order:0", "order:1", "order:2", "orders:6"]);
    // The same tags again are no more tags.
    let again = [rows(3), rows(3)].concat();
    check(&effects_of(&plan, &again), &["order:0", "order:1", "order:2", "orders:6"]);
    assert!(listed(&effects_of(&plan, &rows(4))).contains("shop.orders: too_many"));
}

#[test]
fn a_tag_that_is_too_long_means_the_whole_table_and_an_empty_one_nothing() {
    let of = |template: &str, state: &str, expect: &[&str]| {
        check(&effects_of(&plan(rule(template), &orders()), &[inserted(vec![Cell::Bytes(state.as_bytes())])]), expect);
    };
    let fits = "x".repeat(1_017);
    of("orders:{state}", &fits, &[&format!("orders:{fits}")]);
    of("orders:{state}", &"x".repeat(1_018), &["shop.orders: too_long"]);
    of("{state}", "", &[]);
}

#[test]
fn rules_of_one_table_share_its_columns() {
    let rules = Rules::new([
        order_rule(),
        Rule::table("shop.orders").all("notes").param("Note", "{note}").param("Both", "{id}-{note}"),
        Rule::table("shop.other").all("other"),
    ])
    .unwrap();
    let plan = rules.plan(&orders());
    assert_eq!(plan.wanted(), [0, 1, 2, 3]);
    let image = vec![Cell::Int(1), Cell::Bytes(b"hi"), Cell::Int(6), Cell::Bytes(b"open")];
    check(
        &effects_of(&plan, &[inserted(image)]),
        &["order:1", "orders:6", r#"Note=Text("hi")"#, r#"Both=Text("1-hi")"#],
    );
    let fallback = rules.all_of(&TableName::new("shop", "orders"));
    assert_eq!(fallback.tags, ["notes".into(), "orders".into()]);
    assert_eq!(fallback.params, ["Both", "Note"].map(std::sync::Arc::<str>::from));
    assert_eq!(rules.everything().tags, ["notes".into(), "orders".into(), "other".into()]);
    assert_eq!(rules.all_of(&TableName::new("shop", "unknown")), Default::default());
}
