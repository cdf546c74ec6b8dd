use std::time::Duration;

use super::*;
use crate::rules::{FollowConfig, TableName};

const FOLLOW: &str = "[follow]\nname = \"shop\"\nserver_id = 4242\n";

#[test]
fn reads_every_key() {
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
}

#[test]
fn the_defaults() {
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
