use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::rules::rule::{Part, Template};
use crate::rules::{FollowConfig, TableName};

const FOLLOW: &str = "[follow]\nname = \"shop\"\nserver_id = 4242\n";

#[test]
fn reads_every_key_and_knows_the_defaults() {
    let (config, rules) = FollowConfig::from_toml(
        r#"
        [follow]
        name = "shop-1.a_b"
        server_id = 4242
        time_zone = "+01:00"
        lease_ms = 700

        [[rule]]
        table = "shop.orders"
        all = "orders"
        tags = ["orders:{store_id}", "order:{id}"]
        params = { StoreId = "{store_id}" }
        columns = ["state"]
        max_tags = 10

        [[rule]]
        table = "shop.prices"
        all = "prices"
        "#,
    )
    .unwrap();
    assert_eq!((&*config.name, config.server_id.get()), ("shop-1.a_b", 4242));
    assert_eq!(config.lease, Duration::from_millis(700));
    assert_eq!(rules.tables(), [&TableName::new("shop", "orders"), &TableName::new("shop", "prices")]);
    let in_code = Rule::table("shop.orders").all("orders").tag("orders:{store_id}").tag("order:{id}");
    let in_code = in_code.param("StoreId", "{store_id}").columns(["state"]).max_tags(10);
    let in_code = Rules::new([in_code, Rule::table("shop.prices").all("prices")]).unwrap();
    assert_eq!(rules.rules, in_code.rules);
    assert_eq!(rules.zone.to_string(), "+01:00");
    let (config, rules) = FollowConfig::from_toml(&format!("{FOLLOW}[[rule]]\ntable=\"a.b\"\nall=\"c\"")).unwrap();
    assert_eq!(config.lease, Duration::from_millis(1_500));
    assert_eq!(rules.zone.to_string(), "+00:00");
    assert_eq!(rules.rules[0].max_tags, 10_000);
}

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let error = FollowConfig::from_toml(text).unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "no {part:?} in:\n{error}");
    }
}

#[test]
fn an_error_names_the_line_the_key_and_the_fix() {
    refused("", &["missing field `follow`"]);
    refused(FOLLOW, &["[[rule]]", "each table"]);
    refused("[follow]\nserver_id = 1", &["line 1", "missing field `name`"]);
    refused("[follow]\nname = \"a b\"\nserver_id = 1", &["line 2", "`name`", "letters"]);
    refused("[follow]\nname = \"\"\nserver_id = 1", &["line 2", "`name`", "1 to 64"]);
    refused("[follow]\nname = \"a\"\nserver_id = 0", &["line 3", "server_id", "nonzero"]);
    refused(&format!("{FOLLOW}time_zone = \"Europe/Rome\""), &["line 4", "time_zone", "\"+01:00\""]);
    refused(&format!("{FOLLOW}lease_ms = 10"), &["line 4", "lease_ms", "500 to 60000"]);
    refused(&format!("{FOLLOW}lease = 10"), &["line 4", "unknown field `lease`", "lease_ms"]);
}

#[track_caller]
fn refused_rule(rule: &str, parts: &[&str]) {
    let text = format!("{FOLLOW}\n[[rule]]\n{rule}");
    refused(&text, parts);
}

#[test]
fn an_error_in_a_rule_names_the_line_the_key_and_the_fix() {
    refused_rule("table = \"orders\"", &["line 5", "`table`", "\"shop.orders\""]);
    refused_rule("table = \"a.b.c\"", &["line 5", "`table`"]);
    refused_rule("all = \"a\"", &["line 5", "missing field `table`"]);
    refused_rule("table = \"a.b\"", &["line 5", "a.b", "`all`", "missing"]);
    refused_rule("table = \"a.b\"\ntags = [\"x\"]", &["line 5", "`all`", "missing"]);
    let with = |more: &str| format!("table = \"a.b\"\nall = \"x\"\n{more}");
    refused_rule("table = \"a.b\"\nall = \"x{id}\"", &["line 5", "`all`", "has a column"]);
    refused_rule(
        &with("tags = [\"a\", \"order:{id\"]"),
        &["line 5", "`tags`", "order:{id", "isn't closed", "{column}"],
    );
    refused_rule(&with("tags = [\"\"]"), &["line 5", "`tags`", "empty"]);
    refused_rule(&with(&format!("tags = [\"{}\"]", "x".repeat(1025))), &["line 5", "`tags`", "1024 bytes"]);
    refused_rule(&with("params = { \"A=b\" = \"{id}\" }"), &["line 5", "`params`", "without `=`"]);
    refused_rule(&with("params = { A = \"}\" }"), &["line 5", "`params`", "}}"]);
    refused_rule(&with("params = { A = \"{id}\", A = \"x\" }"), &["line 8", "duplicate key"]);
    refused_rule(&with("columns = []"), &["line 5", "`columns`", "leave it out"]);
    refused_rule(&with("max_tags = 0"), &["line 5", "`max_tags`", "at least 1"]);
    refused_rule(&with("max_tags = -1"), &["line 8", "max_tags"]);
    refused_rule(&with("tag = \"x\""), &["line 8", "unknown field `tag`", "tags"]);
    let twice = Rule::table("a.b").param("A", "{x}").param("A", "{y}");
    assert!(Rules::new([twice]).unwrap_err().to_string().contains("twice"));
}

#[track_caller]
fn parsed(template: &str, expect: Result<&[Part], &str>) {
    let parsed = template.parse::<Template>();
    match expect {
        Ok(parts) => assert_eq!(parsed.unwrap().0, parts),
        Err(part) => {
            let error = parsed.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn texts_and_columns() {
    let (text, column) = (|text: &str| Part::Text(text.into()), |name: &str| Part::Column(name.into()));
    parsed("orders", Ok(&[text("orders")]));
    parsed("order:{id}", Ok(&[text("order:"), column("id")]));
    parsed("{a}{b c}-", Ok(&[column("a"), column("b c"), text("-")]));
    parsed("{{a}}", Ok(&[text("{a}")]));
    parsed("{{{a}}}", Ok(&[text("{"), column("a"), text("}")]));
}

#[test]
fn an_error_tells_what_to_write() {
    parsed("", Err("empty"));
    parsed("a{b", Err("write `{column}`, or `{{` for a brace"));
    parsed("a{b{c}", Err("isn't closed"));
    parsed("a}b", Err("write `{column}`, or `}}` for a brace"));
    parsed("a{}", Err("without a column"));
    parsed("a{ }", Err("without a column"));
}

/// Returns the text of a template.
fn written(template: &Template) -> String {
    let parts = template.0.iter().map(|part| match part {
        Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
        Part::Column(column) => format!("{{{column}}}"),
    });
    parts.collect()
}

proptest! {
    #[test]
    fn a_template_is_read_as_it_is_written(parts in prop::collection::vec((any::<bool>(), "[a{} é]{1,4}", "[a-zé ]{0,3}[a-z]"), 1..6)) {
        let mut expect: Vec<Part> = Vec::new();
        for (is_text, text, column) in parts {
            match (is_text, expect.last_mut()) {
                (true, Some(Part::Text(before))) => before.push_str(&text),
                (true, _) => expect.push(Part::Text(text)),
                (false, _) => expect.push(Part::Column(column)),
            }
        }
        let template = Template(expect);
        prop_assert_eq!(written(&template).parse::<Template>().unwrap(), template);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a{} ]{0,8}") {
        if let Ok(template) = text.parse::<Template>() {
            prop_assert_eq!(written(&template), text);
        }
    }
}
