//! The explanations for people and programs.

use crate::depends::{LeftOutReason, explain};
use crate::{Value, params};

#[test]
fn people_see_what_narrows_the_rows_and_what_does_not() {
    let sql = "SELECT o.id FROM orders o LEFT JOIN items i ON i.order_id = o.id AND o.kind = 1 \
               WHERE o.store_id = ? AND o.created > NOW() - INTERVAL 1 DAY AND (o.a = 1 OR o.b = 2) AND o.state = ?";
    let explanation = explain(sql, &params! { "StoreId" => 6, "State" => Value::Null }, Some("shop"));
    let expected = "\
cacheable   yes
followable  yes
clock       `NOW()` isn't followed: the answer may be as old as the TTL
            → pass the time as a param, rounded to the precision that you need

shop.orders: a changed row with such a tag invalidates the entry
  tag       t:shop.orders?store_id=6
  scheme    store_id:int
  exact if  `store_id` is an integer or DECIMAL column
  left out  `o.created > NOW() - INTERVAL 1 DAY`
            only `column = constant`, `column IN (constants)` and `column IS NULL` narrow the rows
            → keep it, and add an equality that you know, such as the id of the customer
  left out  `o.a = 1 OR o.b = 2`
            it is below OR
            → write `IN (…)` for values of one column, or a UNION of two SELECTs
  left out  `i.order_id = o.id`
            it compares two columns
            → if you know the value, compare both columns with it
  left out  `o.kind = 1`
            it is in the ON of an outer join, about the side that keeps its rows
            → move it to the WHERE, if only rows that meet it are wanted
  left out  `o.state = ?`
            no value is equal to NULL
            → write `IS NULL`, and leave NULL out of lists

shop.items: every change invalidates the entry
  tag       t:shop.items?
  left out  `i.order_id = o.id`
            it compares two columns
            → if you know the value, compare both columns with it
";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn people_see_the_beginning_of_what_is_long() {
    let sql = format!(
        "SELECT * FROM a WHERE x IN (?) AND EXISTS (SELECT 1 FROM b WHERE y = 1.5 AND b.z > {})",
        "9".repeat(99)
    );
    let text = explain(&sql, &params! { "X" => (0..10).collect::<Vec<i32>>() }, Some("shop")).to_string();
    assert!(text.contains("tag       t:shop.a?x=7\n            and 2 more\n"), "{text}");
    let cut = "`EXISTS (SELECT 1 FROM b WHERE y = 1.5 AND b.z > 99999999999999999999999999999999…`";
    assert!(text.contains(cut), "{text}");
    let unsure = "`y` is a DECIMAL column with 1 or more digits after the point\n            and of this table, not of";
    assert!(text.contains(unsure), "{text}");
}

#[test]
fn a_statement_without_tables_says_so() {
    let text = explain("SELECT 1", &params! {}, None).to_string();
    assert_eq!(text, "cacheable   yes\nfollowable  yes\ntables      none\n");
}

#[test]
fn a_refused_text_has_its_reasons() {
    let explanation = explain("SELECT my_function(id) FROM orders", &params! {}, Some("shop"));
    assert!(!explanation.is_cacheable && !explanation.is_followable && explanation.occurrences.is_empty());
    let text = explanation.to_string();
    assert!(text.starts_with("cacheable   no: `my_function` isn't a built-in function"), "{text}");
    assert!(text.contains("followable  no, the entry only expires: `my_function` isn't a built-in function"), "{text}");
}

#[test]
fn a_text_that_cannot_be_parsed_has_no_place_of_a_token() {
    let why = explain("SELECT id, !id FROM orders", &params! {}, Some("shop")).not_followable.unwrap();
    assert_eq!(why, "mrc's parser can't read it (Expected: an expression, found: !): write it in another way");
}

#[test]
fn programs_read_json() {
    let sql = "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE y = 2 AND b.z > 1)";
    let json = serde_json::to_value(explain(sql, &params! {}, Some("shop"))).unwrap();
    let expected = serde_json::json!({
        "is_cacheable": true, "not_cacheable": null, "is_followable": true, "not_followable": null, "clock": null,
        "occurrences": [
            { "table": "shop.a", "scheme": "", "tags": ["t:shop.a?"], "scheme_tag": "t:shop.a?", "table_tag": "t:shop.a",
              "unsure": [], "left_out": [{ "condition": "EXISTS (SELECT 1 FROM b WHERE y = 2 AND b.z > 1)",
                "why": "subquery", "reason": "it is a subquery, whose tables are listed on their own",
                "advice": "give the subquery an equality of its own, if you know one" }] },
            { "table": "shop.b", "scheme": "y:int", "tags": ["t:shop.b?y=2"], "scheme_tag": "t:shop.b?y:int",
              "table_tag": "t:shop.b", "unsure": ["y"],
              "left_out": [{ "condition": "b.z > 1", "why": "not_an_equality",
                "reason": LeftOutReason::NotAnEquality.text(), "advice": LeftOutReason::NotAnEquality.advice() }] },
        ],
    });
    assert_eq!(json, expected);
}
