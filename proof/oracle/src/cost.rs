//! The cost of deriving: once a text, and once a call.

use std::hint::black_box;
use std::time::Instant;

use mrc_core::depends::derive;
use mrc_core::{Params, params, statement};

/// A text with its name and params.
const TEXTS: [(&str, &str); 4] = [
    ("a key", "SELECT * FROM users WHERE id = ?"),
    (
        "two columns",
        "SELECT id, total, created FROM orders WHERE store_id = ? AND state = 'open' ORDER BY created DESC LIMIT 20",
    ),
    (
        "a join",
        "SELECT o.id, o.total, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id \
         LEFT JOIN payments p ON p.order_id = o.id AND p.state = 'done' WHERE o.store_id = ? AND o.state IN ('open', 'paid') \
         AND o.created > '2025-01-01' AND p.id IS NULL ORDER BY o.created DESC LIMIT 50",
    ),
    (
        "a report",
        "WITH months AS (SELECT store_id, DATE_FORMAT(created, '%Y-%m') AS month, SUM(total) AS total, COUNT(*) AS orders \
         FROM orders WHERE state = 'paid' AND store_id = ? GROUP BY store_id, month) SELECT s.name, m.month, m.total, m.orders, \
         SUM(CASE WHEN r.kind = 'full' THEN r.amount ELSE 0 END) AS refunds, (SELECT COUNT(*) FROM visits v WHERE v.store_id = \
         s.id AND v.bot = 0) AS visits FROM stores s JOIN months m ON m.store_id = s.id LEFT JOIN refunds r ON r.store_id = s.id \
         AND r.state = 'done' WHERE s.region = 'north' AND EXISTS (SELECT 1 FROM plans p WHERE p.store_id = s.id AND p.name = \
         'pro') GROUP BY s.name, m.month, m.total, m.orders ORDER BY m.month DESC",
    ),
];

/// Returns a line for each text: the time to check, to derive, and to tag.
pub fn cost() -> Vec<String> {
    let params = params! { "StoreId" => 6 };
    TEXTS.iter().map(|(name, sql)| line(name, sql, &params)).collect()
}

fn line(name: &str, sql: &str, params: &Params) -> String {
    let template = derive(sql, Some("shop"));
    let tags = template.tags(params).len();
    let check = micros(|| drop(black_box(statement::check(black_box(sql)))));
    let derive = micros(|| drop(black_box(derive(black_box(sql), Some("shop")))));
    let tag = micros(|| drop(black_box(template.tags(black_box(params)))));
    let bytes = sql.len();
    format!("{name} ({bytes} bytes): check {check:.1} µs, derive {derive:.1} µs, {tags} tags in {tag:.2} µs")
}

/// Returns the least of some means, in microseconds: other programs only slow a run down.
fn micros(mut work: impl FnMut()) -> f64 {
    const REPEATS: u32 = 500;
    let mut mean = || {
        let start = Instant::now();
        (0..REPEATS).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(REPEATS)
    };
    (0..20).map(|_| mean()).fold(f64::INFINITY, f64::min)
}
