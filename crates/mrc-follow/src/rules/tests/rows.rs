use super::*;
use crate::rules::TableName;

fn rule() -> Rule {
    Rule::table("shop.orders").all("orders").tag("orders:{store_id}").tag("order:{id}").columns(["state"])
}

#[test]
fn the_row_before_and_the_row_after_count() {
    let plan = plan(rule(), &orders());
    assert_eq!(plan.wanted(), [0, 2, 3]);
    let moved = updated(order(1, 6, "open"), order(1, 7, "paid"));
    check(&effects_of(&plan, &[moved]), &["order:1", "orders:6", "orders:7"]);
    check(&effects_of(&plan, &[inserted(order(2, 6, "open"))]), &["order:2", "orders:6"]);
    check(&effects_of(&plan, &[deleted(order(3, 6, "open"))]), &["order:3", "orders:6"]);
}

#[test]
fn an_update_of_other_columns_does_not_count() {
    let plan = plan(rule(), &orders());
    check(&effects_of(&plan, &[updated(order(1, 6, "open"), order(1, 6, "open"))]), &[]);
    check(&effects_of(&plan, &[updated(order(1, 6, "open"), order(1, 6, "paid"))]), &["order:1", "orders:6"]);
}

#[test]
fn a_moved_row_counts_even_if_no_listed_column_changed() {
    let plan = plan(rule(), &orders());
    let moved = updated(order(1, 6, "open"), order(1, 7, "open"));
    check(&effects_of(&plan, &[moved]), &["order:1", "orders:6", "orders:7"]);
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
    let plan = plan(rule(), &orders());
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
    let plan = plan(rule().max_tags(4), &orders());
    let rows = |count| (0..count).map(|id| inserted(order(id, 6, "open"))).collect::<Vec<_>>();
    check(&effects_of(&plan, &rows(3)), &["order:0", "order:1", "order:2", "orders:6"]);
    // The same tags again are no more tags.
    let again = [rows(3), rows(3)].concat();
    check(&effects_of(&plan, &again), &["order:0", "order:1", "order:2", "orders:6"]);
    assert!(listed(&effects_of(&plan, &rows(4))).contains("shop.orders: too_many"));
}

#[test]
fn a_tag_that_is_too_long_means_the_whole_table() {
    let plan = plan(Rule::table("shop.orders").all("orders").tag("orders:{state}"), &orders());
    let (fits, long) = ("x".repeat(1_017), "x".repeat(1_018));
    let tag = format!("orders:{fits}");
    check(&effects_of(&plan, &[inserted(vec![Cell::Bytes(fits.as_bytes())])]), &[&tag]);
    check(&effects_of(&plan, &[inserted(vec![Cell::Bytes(long.as_bytes())])]), &["shop.orders: too_long"]);
}

#[test]
fn an_empty_tag_is_no_tag() {
    let plan = plan(Rule::table("shop.orders").all("orders").tag("{state}"), &orders());
    check(&effects_of(&plan, &[inserted(vec![Cell::Bytes(b"")])]), &[]);
}

#[test]
fn rules_of_one_table_share_its_columns() {
    let rules = Rules::new([
        rule(),
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

/// Prints how many rows a second a plan with two templates takes. Run it with
/// `cargo test -p mrc-follow --release --lib -- --ignored --nocapture rows_a_second`.
#[test]
#[ignore = "prints figures"]
fn rows_a_second() {
    const ROWS: i64 = 2_000_000;
    let plan = plan(rule().max_tags(usize::MAX), &orders());
    for (what, distinct) in [("few different tags", 1_000), ("a tag for each row", ROWS)] {
        let mut effects = Effects::new();
        let mut change = updated(order(1, 6, "open"), order(1, 7, "paid"));
        let begin = std::time::Instant::now();
        for id in 0..ROWS {
            for image in [&mut change.before, &mut change.after].into_iter().flatten() {
                image[0] = Cell::Int(id % distinct);
            }
            plan.apply(&change, &mut effects);
            if effects.is_full() {
                effects = Effects::new();
            }
        }
        println!("{what}: {:.1} million rows/s", ROWS as f64 / begin.elapsed().as_secs_f64() / 1e6);
    }
}
