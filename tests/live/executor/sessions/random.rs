//! The property of sessions: after any statements, a read answers as on a fresh connection.

use mrc_store::{MySqlConfig, MySqlExecutor, QueryExecutor};
use mrc_tests::cases;
use mysql_async::prelude::Queryable;
use rand::Rng;
use rand::rngs::ThreadRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use super::{Database, canonical, config, execute, executor, probe, shop, statements};

/// Variables that change in any session. (MySQL 9.7 dies if a prepared statement sets one of the
/// first three.)
const RESTLESS: &str = "statement_id error_count warning_count timestamp rand_seed1 rand_seed2 \
                        insert_id last_insert_id identity pseudo_thread_id";

const VALUES: &str = "0 1 2 4096 -1 0.5 ON OFF '' 'latin1' 'utf8mb4_bin' 'ANSI_QUOTES' 'ALL' '+09:00' \
                      'READ-UNCOMMITTED' NULL";

/// Returns the variables that a session may set, as the server lists them.
async fn variables(executor: &MySqlExecutor) -> Vec<String> {
    let rows = execute(executor, "SHOW SESSION VARIABLES").await.unwrap();
    let rows: Vec<std::collections::BTreeMap<String, String>> = serde_json::from_str(&rows).unwrap();
    let mut found = Vec::new();
    for name in rows.into_iter().map(|mut row| row.remove("Variable_name").unwrap()) {
        let sets = format!("SET SESSION `{name}` = DEFAULT");
        if !RESTLESS.split(' ').any(|restless| restless == name) && execute(executor, &sets).await.is_ok() {
            found.push(name);
        }
    }
    found
}

struct Random {
    variables: Vec<String>,
    statements: Vec<String>,
    rng: ThreadRng,
}

impl Random {
    fn statement(&mut self) -> String {
        let rng = &mut self.rng;
        let variable = self.variables.choose(rng).unwrap();
        let value = VALUES.split(' ').choose(rng).unwrap();
        match rng.random_range(0..8) {
            0..5 => format!("SET SESSION `{variable}` = {value}"),
            5 => format!("SET @mine = @@session.`{variable}`"),
            _ => self.statements.choose(rng).unwrap().clone(),
        }
    }
}

/// Returns what a read sees of the data, and of each variable.
async fn seen(executor: &MySqlExecutor, variables: &[String]) -> Vec<Result<String, String>> {
    let mut answers = probe(executor).await;
    let columns: Vec<String> = variables.iter().map(|name| format!("@@session.`{name}` AS `{name}`")).collect();
    answers
        .push(canonical(executor, &format!("SELECT {}", columns.join(", "))).await.map_err(|error| error.to_string()));
    answers
}

async fn seen_afresh(config: &MySqlConfig, variables: &[String]) -> Vec<Result<String, String>> {
    let fresh = executor(config.clone());
    let answers = seen(&fresh, variables).await;
    fresh.close().await;
    answers
}

#[tokio::test]
async fn a_read_is_as_on_a_fresh_connection_after_any_statements() {
    let (database, other) = (shop().await, Database::create().await);
    let config = config(&database).pool_max(1);
    let reads = executor(config.clone());
    let variables = variables(&reads).await;
    assert!(variables.len() > 50, "{variables:?}");
    let mut random = Random { variables, statements: statements(other.name()), rng: rand::rng() };
    for _ in 0..cases(30) {
        let history: Vec<String> = (0..random.rng.random_range(1..5)).map(|_| random.statement()).collect();
        if random.rng.random() {
            for sql in &history {
                let _ = execute(&reads, sql).await;
            }
        } else {
            let mut conn = reads.pool().get_conn().await.unwrap();
            for sql in &history {
                let _ = conn.query_drop(sql).await;
            }
            // These end a lock of tables, which would block the reads.
            for uncommitted in ["BEGIN", "UPDATE t SET a = a + 10"] {
                let _ = conn.query_drop(uncommitted).await;
            }
            let fresh = seen_afresh(&config, &random.variables).await;
            assert_eq!(seen(&reads, &random.variables).await, fresh, "beside {history:#?}");
        }
        let fresh = seen_afresh(&config, &random.variables).await;
        assert_eq!(seen(&reads, &random.variables).await, fresh, "after {history:#?}");
    }
}
