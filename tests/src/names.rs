//! Names and ports that no other test uses, and numbers for tests that need many rows.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;

use rand::Rng;

/// Returns a random name: `prefix`, then 12 letters and digits. It fits keys, tables and databases.
pub fn unique(prefix: &str) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    let tail = (0..12).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]));
    format!("{prefix}_{}", tail.collect::<String>())
}

/// Returns a table expression for every server: its column `seq` has the numbers from 1 to `last`.
/// It needs an alias: `SELECT seq FROM {numbers} AS n`.
pub fn numbers(last: u64) -> String {
    let digits = 1 + last.saturating_sub(1).checked_ilog10().unwrap_or(0);
    let digit = (0..10).map(|d| format!("SELECT {d} AS d")).collect::<Vec<_>>().join(" UNION ALL ");
    let value: String = (0..digits).map(|i| format!(" + d{i}.d * {}", 10_u64.pow(i))).collect();
    let tables: Vec<String> = (0..digits).map(|i| format!("({digit}) AS d{i}")).collect();
    format!("(SELECT 1{value} AS seq FROM {} WHERE 1{value} <= {last})", tables.join(", "))
}

/// Returns a query for every server that takes 10 min and fails when interrupted.
///
/// A lone `SLEEP` of MySQL returns 1 then.
pub fn slow_query(column: &str) -> String {
    format!("SELECT SLEEP(600) AS {column} FROM (SELECT 1 UNION ALL SELECT 2) AS two")
}

/// Returns a port of 127.0.0.1 on which nobody listens, and which this process returns only once.
///
/// The port is below the range of outgoing connections, so none of these takes it meanwhile.
/// Its cluster bus port (plus 10,000) is free too.
pub fn free_port() -> u16 {
    static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1_000 {
        let port = rand::rng().random_range(11_000..22_000);
        let fresh = TAKEN.lock().expect("no holder panics").get_or_insert_default().insert(port);
        if fresh && free(port) && free(port + 10_000) {
            return port;
        }
    }
    panic!("no free port of 127.0.0.1 between 11000 and 22000");
}

/// Returns the number of cases of a random search: `PROPTEST_CASES` as for proptest, or `default`.
pub fn cases(default: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}
