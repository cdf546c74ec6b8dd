//! `mrc follow --check` on servers that lack something, and wrong files and flags.

use mrc_tests::{Database, SqlKind, unique};
use serde_json::Value;

use super::{RulesFile, Shop, head};
use crate::run::mrc_with;

/// Returns the findings of `--check`, as `severity: what | fix`.
async fn findings(shop: &Shop) -> (i32, Vec<String>) {
    let run = shop.follow(&["--check", "--json"]).await;
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let findings = document["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = findings
        .map(|found| format!("{}: {} | {}", text(found, "severity"), text(found, "what"), text(found, "fix")))
        .collect();
    assert_eq!(document["is_fit"].as_bool(), Some(run.code == 0), "{run:?}");
    (run.code, findings)
}

#[tokio::test]
async fn a_server_with_everything_lacks_nothing() {
    let shop = Shop::open().await;
    let run = shop.follow(&["--check"]).await;
    assert_eq!((run.text(), run.stderr.as_str()), ("nothing is missing", ""));
    assert_eq!(findings(&shop).await, (0, vec![]));
}

#[tokio::test]
async fn a_server_without_a_log_is_listed_its_fixes() {
    let shop = Shop::with(Database::create().await, "tags = [\"orders:{store_id}\"]").await;
    let run = shop.follow(&["--check"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stdout.contains("error: log_bin is OFF: the server writes no log")
            && run.stdout.contains("log_bin = binlog"),
        "{run:?}"
    );
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("mend"), "{run:?}");
    let (_, found) = findings(&shop).await;
    assert!(found.iter().any(|found| found.contains("binlog_row_metadata = FULL")), "{found:?}");
    assert!(!found.iter().any(|found| found.contains("log_replica_updates")), "it follows from log_bin: {found:?}");

    let run = shop.follow(&[]).await;
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
    assert!(run.stderr.contains("error: the server can't be followed: log_bin is OFF"), "{run:?}");
}

#[tokio::test]
async fn a_rule_without_its_column_or_table_is_found() {
    let rule = "tags = [\"orders:{stor_id}\", \"note:{note}\"]\ncolumns = [\"STORE_ID\"]\n\
        [[rule]]\ntable = \"nowhere.orders\"\nall = \"x\"";
    let shop = Shop::with(Database::logged().await, rule).await;
    let (code, found) = findings(&shop).await;
    let expect = |part: &str| assert!(found.iter().any(|found| found.contains(part)), "{part}: {found:?}");
    assert_eq!(code, 1);
    expect("there is no table nowhere.orders");
    expect("has no column `stor_id`");
    // JSON is LONGTEXT on MariaDB, where its type can't be told from a text's.
    let json = SqlKind::of_this_run().name == "MySQL";
    assert_eq!(found.iter().any(|found| found.contains("`note`") && found.contains("JSON")), json, "{found:?}");
    assert_eq!(found.len(), 2 + usize::from(json), "{found:?}");
}

#[tokio::test]
async fn a_user_lacks_what_the_statement_grants() {
    let mut shop = Shop::open().await;
    let user = unique("follower");
    let server = format!("127.0.0.1:{}", shop.database.port());
    shop.database.execute(&format!("CREATE USER {user}@'%' IDENTIFIED BY 'secret'")).await;
    shop.mysql = format!("mysql://{user}:secret@{server}");

    let (code, found) = findings(&shop).await;
    assert_eq!((code, found.len()), (1, 2), "{found:?}");
    assert!(found[0].starts_with("error: ") && found[0].contains("REPLICATION SLAVE"), "{found:?}");
    assert!(found[1].starts_with("warning: ") && found[1].contains("wasn't checked"), "{found:?}");
    // Each statement mends what it is printed for.
    for finding in &found {
        shop.database.execute(finding.split_once(" | ").unwrap().1).await;
    }
    assert_eq!(findings(&shop).await, (0, vec![]));
}

#[tokio::test]
async fn a_foreign_key_is_reported_if_the_rows_that_it_changes_are_not_logged() {
    let database = Database::logged().await;
    database.execute("CREATE TABLE users (id INT PRIMARY KEY)").await;
    let mut shop = Shop::with(database, "").await;
    let keys = "ALTER TABLE orders ADD FOREIGN KEY gone (store_id) REFERENCES users (id) ON DELETE CASCADE";
    shop.database.execute(keys).await;
    let (user, name) = (unique("follower"), shop.database.name().to_owned());
    let grants = format!(
        "CREATE USER {user}@'%' IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO {user}@'%'; \
         GRANT SELECT, REFERENCES ON {name}.* TO {user}@'%'"
    );
    shop.database.execute(&grants).await;
    shop.mysql = format!("mysql://{user}:secret@127.0.0.1:{}", shop.database.port());
    let (code, found) = findings(&shop).await;
    assert_eq!((code, found.len()), (0, 1), "{found:?}");
    assert!(found.iter().all(|found| found.contains("ON DELETE CASCADE") && found.contains(".users")), "{found:?}");
}

const ENV: [(&str, &str); 2] =
    [("MRC_MYSQL_URL", "mysql://u:hunter2@127.0.0.1:1/x"), ("MRC_REDIS_URL", "redis://:hunter2@127.0.0.1:1")];

#[tokio::test]
async fn a_wrong_file_is_named_with_its_line() {
    let rule = "[[rule]]\ntable = \"shop.orders\"\n";
    for (text, expect) in [
        ("", &["follow"][..]),
        ("[follow", &["line 1"]),
        ("[follow]\nname = \"a b\"\nserver_id = 2\n", &["line 2", "`name`"]),
        ("[follow]\nname = \"shop\"\n", &["server_id"]),
        (&head(), &["[[rule]]", "each table"]),
        (&format!("{}\ntags = [1]\n", head()), &["line 4", "unknown field `tags`"]),
        (
            &format!("{}\n{rule}all = \"x\"\ntags = [\"order:{{id\"]\n", head()),
            &["line 4", "shop.orders", "`tags`", "isn't closed"],
        ),
        (&format!("{}\n{rule}tags = [\"order:{{id}}\"]\n", head()), &["line 4", "`all`"]),
    ] {
        let file = RulesFile::new(text);
        for flag in [None, Some("--check"), Some("--status"), Some("--once")] {
            let args: Vec<_> = ["follow", "--config", file.path()].into_iter().chain(flag).collect();
            let run = mrc_with(&args, &ENV, "").await;
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}: {run:?}");
            assert!(run.stderr.starts_with(&format!("error: --config {}: ", file.path())), "{run:?}");
            assert!(expect.iter().all(|part| run.stderr.contains(part)), "{text}: {run:?}");
        }
    }
    let in_deploy = include_str!("../../../../../deploy/follow.toml");
    assert!(mrc::follow::rules::FollowConfig::from_toml(in_deploy).is_ok());
    let run = mrc_with(&["follow", "--config", "/nowhere/follow.toml", "--json"], &ENV, "").await;
    assert!(run.code == 2 && run.error()[1].contains("--config /nowhere/follow.toml: "), "{run:?}");
}

#[tokio::test]
async fn wrong_flags_are_named() {
    let file = RulesFile::new(&format!("{}\n[[rule]]\ntable = \"shop.orders\"\nall = \"orders\"\n", head()));
    for (args, expect) in [
        (&["--check", "--status"][..], "--status"),
        (&["--check", "--once"], "--once"),
        (&["--status", "--listen", "1"], "--listen"),
        (&["--from", "yesterday"], "no position"),
        (&["--listen", "nowhere"], "9184"),
    ] {
        let run = mrc_with(&[&["follow", "--config", file.path()], args].concat(), &ENV, "").await;
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains(expect), "{args:?}: {run:?}");
    }
    let run = mrc_with(&["follow"], &ENV, "").await;
    assert!(run.code == 2 && run.stderr.contains("--config"), "{run:?}");
    let run = mrc_with(&["follow", "--config", file.path()], &ENV[1..], "").await;
    assert!(run.code == 2 && run.stderr.contains("MRC_MYSQL_URL"), "{run:?}");
}

#[tokio::test]
async fn a_check_without_servers_says_which_is_away() {
    let file = RulesFile::new(&format!("{}\n[[rule]]\ntable = \"shop.orders\"\nall = \"orders\"\n", head()));
    for flag in ["--check", "--status"] {
        let run = mrc_with(&["follow", "--config", file.path(), flag], &ENV, "").await;
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{run:?}");
        assert!(run.stderr.contains("--redis") && !run.stderr.contains("hunter2"), "{run:?}");
    }
}
