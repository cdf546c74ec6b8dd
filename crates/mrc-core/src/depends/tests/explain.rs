//! The explanations for people and programs.

use crate::depends::explain;
use crate::{Value, params};

#[test]
fn people_see_what_narrows_the_rows_and_what_does_not() {
    let sql = "SELECT o.id FROM orders o LEFT JOIN items i ON i.order_id = o.id AND o.kind = 1 \
               WHERE o.store_id = ? AND o.created > NOW() - INTERVAL 1 DAY AND (o.a = 1 OR o.b = 2) AND o.state = ?";
    let explanation = explain(sql, &params! { "StoreId" => 6, "State" => Value::Null }, Some("shop"));
    let expected = "\
cacheable: yes
followable: yes
reads the clock: `NOW()`, so the answer is as old as the TTL allows
reads shop.orders
  scheme store_id:int
  tag t:shop.orders?store_id=6
  left out `o.created > NOW() - INTERVAL 1 DAY`: it isn't `column = constant`, `column IN (constants)` or `column IS NULL`
  left out `(o.a = 1 OR o.b = 2)`: it is below OR or NOT
  left out `i.order_id = o.id`: it compares with a column or a subquery, not with a constant
  left out `o.kind = 1`: it is in the ON of an outer join, about the side that keeps its rows
  left out `state`: the constant is NULL, a float, in double quotes, or of another type without a class
reads shop.items
  every change of the table counts
  tag t:shop.items?
  left out `i.order_id = o.id`: it compares with a column or a subquery, not with a constant
";
    assert_eq!(explanation.to_string(), expected.replace("`(o.a = 1 OR o.b = 2)`", "`o.a = 1 OR o.b = 2`"));
}

#[test]
fn a_refused_text_has_its_reasons() {
    let explanation = explain("SELECT my_function(id) FROM orders", &params! {}, Some("shop"));
    assert!(!explanation.is_cacheable && !explanation.is_followable && explanation.occurrences.is_empty());
    let text = explanation.to_string();
    assert!(text.starts_with("cacheable: no, `my_function` isn't a built-in function"), "{text}");
    assert!(text.contains("followable: no, `my_function` isn't a built-in function"), "{text}");
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
                "why": "not_an_equality" }] },
            { "table": "shop.b", "scheme": "y:int", "tags": ["t:shop.b?y=2"], "scheme_tag": "t:shop.b?y:int",
              "table_tag": "t:shop.b", "unsure": ["y"],
              "left_out": [{ "condition": "b.z > 1", "why": "not_an_equality" }] },
        ],
    });
    assert_eq!(json, expected);
}
