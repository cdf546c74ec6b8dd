//! Random texts.

use proptest::prelude::*;

use crate::depends::{Scheme, TableName, TableScheme, derive};
use crate::{Params, Value};

const TOKENS: &[&str] = &[
    "SELECT", "FROM", "WHERE", "JOIN", "LEFT JOIN", "RIGHT JOIN", "ON", "USING", "AND", "OR", "NOT", "XOR", "IN", "IS",
    "NULL", "(", ")", ",", "=", "<=>", "||", "?", "1", "1.5", "-", "+", "'x'", "'é'", "\"x\"", "a", "b", "o.a", "p.b",
    "o", "p", "shop.o", "`o`", "EXISTS", "UNION", "WITH", "AS", "ORDER BY", "GROUP BY", "LIMIT", "CASE", "WHEN",
    "THEN", "END", "INTERVAL", "DAY", "BETWEEN", "LIKE", "*", ".", "COUNT(*)", "FOR", "INDEX", "MATCH", "AGAINST",
    "BINARY", ";", "->", "DUAL", "LATERAL", "FULL", "NATURAL", "TRUE", "ROW", "VALUES", "TABLE", "HAVING", "ANY",
    "COLLATE", "%", "0x1F",
];

fn soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(TOKENS);
    prop::collection::vec(token, 0..60).prop_map(|tokens| format!("SELECT * FROM o WHERE {}", tokens.join(" ")))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,6}|\\PC{0,6}".prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::from),
        prop::collection::vec(any::<i64>(), 0..70).prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics_and_tags_can_be_used(sql in soup(), values in prop::collection::vec(value(), 0..4)) {
        let params: Params = values.into_iter().map(|value| crate::Param { name: None, value }).collect();
        let template = derive(&sql, Some("shop"));
        for one in template.tags(&params) {
            let TableScheme { table, columns, name, table_tag } = &*one.scheme;
            prop_assert!(one.tag.check().is_ok() && name.tag.check().is_ok() && table_tag.check().is_ok());
            let scheme = Scheme::parse(columns).unwrap();
            prop_assert_eq!(&scheme.tag(&TableName::new("shop", table.rsplit('.').next().unwrap())), &name.tag);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(sql in "\\PC{0,60}|[a-z(),=?'`\"./*! ]{0,60}") {
        derive(&sql, Some("shop")).tags(&Params::new());
        derive(&format!("SELECT * FROM {sql}"), None).tags(&Params::new());
    }

    // Two values of one column share a tag only if the fold makes them equal.
    #[test]
    fn values_that_differ_have_tags_that_differ(one in value(), other in value()) {
        let template = derive("SELECT * FROM o WHERE a = ? AND b = 1", Some("shop"));
        let tags = |value: &Value| -> Vec<String> {
            let tags = template.tags(&Params::new().with("A", value.clone()));
            tags.iter().map(|one| format!("{} {}", one.scheme.columns, one.tag)).filter(|text| text.contains("a:")).collect()
        };
        let folded = |value: &Value| match value {
            Value::Text(text) => Value::from(text.trim_end_matches(' ').to_ascii_lowercase()),
            other => other.clone(),
        };
        let is_list = |value: &Value| matches!(value, Value::List(_));
        if folded(&one) != folded(&other) && !is_list(&one) && !is_list(&other) {
            let shared = tags(&one).iter().any(|tag| tags(&other).contains(tag));
            prop_assert!(!shared, "{:?} {:?}", one, other);
        }
    }
}

#[test]
fn deep_and_long_texts_fit_a_small_stack() {
    let texts = [
        format!("SELECT * FROM o WHERE {}a = 1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT * FROM o WHERE {}a = 1{}", "(".repeat(30), ")".repeat(30)),
        format!("SELECT * FROM o WHERE a = 1{}", " OR b = 2".repeat(50_000)),
        format!("SELECT * FROM o WHERE a = 1{}", " OR b = 2".repeat(240)),
        format!("SELECT * FROM o WHERE a = 1{}", " + 1".repeat(240)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(50_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(80)),
        format!("SELECT * FROM o WHERE {}a = 1", "NOT ".repeat(50_000)),
        format!("SELECT {}1", "- ".repeat(50_000)),
        format!("SELECT * FROM o WHERE a IN (1{})", ", 1".repeat(50_000)),
        format!("SELECT {}1{}", "(SELECT ".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1{}", "(SELECT ".repeat(8), ")".repeat(8)),
        format!("SELECT a{} FROM o", ".a".repeat(50_000)),
        format!("SELECT a{} FROM o", "[1]".repeat(50_000)),
        format!("SELECT * FROM {}o{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT * FROM o{}", " JOIN o".repeat(20_000)),
        format!("SELECT * FROM o{}", " JOIN o".repeat(240)),
        format!("SELECT * FROM o{}", " JOIN o".repeat(11)),
        format!("SELECT * FROM o WHERE {}a = 1{}", "(".repeat(36), ") + 1 + 1 + 1".repeat(36)),
        format!("SELECT {}1{}", "(SELECT 1 + ".repeat(12), ")".repeat(12)),
        format!("SELECT {}1{}", "CASE WHEN 1 THEN ".repeat(5_000), " END".repeat(5_000)),
        format!("SELECT a{} FROM o", "->'$.a'".repeat(5_000)),
        format!("SELECT a{} FROM o", " IS NULL".repeat(5_000)),
    ];
    // The stack of a thread of tokio has 2 MiB, and the caller needs most of it.
    let work = move || texts.iter().map(|sql| derive(sql, Some("shop")).followable().is_ok()).collect::<Vec<bool>>();
    let followable = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
    assert!(followable.iter().filter(|is| **is).count() >= 6, "{followable:?}");
}
