//! The data that all contenders work on.

use std::time::Duration;

use serde::Deserialize;

/// How long entries live.
pub(crate) const TTL: Duration = Duration::from_secs(3600);
/// The store whose orders are read.
pub(crate) const STORE: u32 = 6;
/// How many orders the table has: enough for every query here.
pub(crate) const ORDERS: u32 = 200_000;
/// One order by its number.
pub(crate) const BY_ID: &str =
    "SELECT id, store_id, state, customer, total, items, created_at, paid FROM orders WHERE id = ?";

/// The table of orders, filled by the server itself.
pub(crate) fn schema() -> String {
    format!(
        "CREATE TABLE orders (
            id INT UNSIGNED PRIMARY KEY, store_id INT UNSIGNED NOT NULL, state VARCHAR(16) NOT NULL,
            customer VARCHAR(40) NOT NULL, total DECIMAL(10,2) NOT NULL, items INT NOT NULL,
            created_at DATETIME NOT NULL, paid TINYINT(1) NOT NULL);
        INSERT INTO orders SELECT seq, {STORE}, ELT(1 + seq % 3, 'open', 'shipped', 'cancelled'),
            CONCAT('Customer ', LPAD(seq * 7919 % 1000003, 8, '0')), 10 + seq * 31 % 9000 + 0.25, 1 + seq % 9,
            '2025-01-15 10:30:00' + INTERVAL seq MINUTE, seq % 2 FROM seq_1_to_{ORDERS}"
    )
}

/// The query whose answer has so many rows.
pub(crate) fn query(rows: u32) -> String {
    format!(
        "SELECT id, store_id, state, customer, total, items, created_at, paid FROM orders WHERE store_id = ? ORDER BY id LIMIT {rows}"
    )
}

/// A row that owns its texts.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is decoded, and that is measured")]
pub(crate) struct Order {
    id: u32,
    store_id: u32,
    state: String,
    customer: String,
    total: f64,
    items: i32,
    created_at: String,
    paid: u8,
}

/// A row that borrows its texts from the answer.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is decoded, and that is measured")]
pub(crate) struct BorrowedOrder<'a> {
    id: u32,
    store_id: u32,
    state: &'a str,
    customer: &'a str,
    total: f64,
    items: i32,
    created_at: &'a str,
    paid: u8,
}
