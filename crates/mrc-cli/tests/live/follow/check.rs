//! `mrc follow --check` on servers that lack something.

use mrc_tests::{Database, SqlKind, unique};
use serde_json::Value;

use super::Shop;

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
