//! The cost of a text: its read-only check, deriving its dependencies, and the tags of a call.

use std::hint::black_box;

use mrc::{Params, params};
use mrc_core::depends::{derive, derive_tokens};
use mrc_core::statement::{Tokens, check};

use crate::cpu::Clock;
use crate::results::{OfText, Series, Work};
use crate::suite::{Plan, progress};

const CHECKS: u64 = 1_000;
const CALLS: u64 = 50_000;

fn texts() -> [(&'static str, Params); 4] {
    [
        ("SELECT name FROM stores WHERE id = ?", params! { "Id" => 6 }),
        (
            "SELECT id, total FROM orders WHERE store_id = ? AND state = ? ORDER BY id DESC LIMIT 20",
            params! { "StoreId" => 6, "State" => "open" },
        ),
        (
            "SELECT o.id, o.total, o.created_at, s.name, c.name AS customer, c.city FROM orders o \
             JOIN stores s ON s.id = o.store_id AND s.id = ? LEFT JOIN customers c ON c.id = o.customer_id \
             WHERE o.store_id = ? AND o.state = 'open' AND o.created_at > ? ORDER BY o.created_at DESC LIMIT 50",
            params! { "Store" => 6, "StoreId" => 6, "From" => "2025-01-01" },
        ),
        (
            "WITH sold AS (SELECT i.product_id, SUM(i.count) AS pieces, SUM(i.count * i.price) AS total \
             FROM orders o JOIN items i ON i.order_id = o.id WHERE o.store_id = ? AND o.state IN ('paid', 'shipped') \
             AND o.created_at >= ? AND o.created_at < ? GROUP BY i.product_id) \
             SELECT p.id, p.name, p.category, sold.pieces, sold.total, \
             CASE WHEN sold.pieces > 100 THEN 'top' WHEN sold.pieces > 10 THEN 'good' ELSE 'slow' END AS class, \
             (SELECT COUNT(*) FROM reviews r WHERE r.product_id = p.id AND r.stars >= 4) AS liked \
             FROM products p LEFT JOIN sold ON sold.product_id = p.id WHERE p.store_id = ? AND p.is_active = 1 \
             ORDER BY sold.total DESC, p.name LIMIT 100",
            params! { "StoreId" => 6, "From" => "2025-01-01", "To" => "2025-02-01", "Store" => 6 },
        ),
    ]
}

pub(super) fn run(plan: Plan) -> Vec<OfText> {
    progress("exact: texts");
    texts().into_iter().map(|(text, params)| of(plan, text, &params)).collect()
}

fn of(plan: Plan, text: &str, params: &Params) -> OfText {
    let template = derive(text, Some("shop"));
    let mut series = ["check", "derive", "tags"].map(Series::new);
    // The first round warms up.
    for round in 0..=plan.rounds {
        let works = [
            work(CHECKS, || u64::from(check(black_box(text)).is_ok())),
            work(CHECKS, || {
                // As a client does at the first miss of a text.
                let tokens = Tokens::read(black_box(text));
                let is_cacheable = tokens.check(false).is_ok();
                u64::from(is_cacheable && derive_tokens(tokens, Some("shop")).followable().is_ok())
            }),
            work(CALLS, || template.tags(black_box(params)).len() as u64),
        ];
        for (series, work) in series.iter_mut().zip(works).filter(|_| round > 0) {
            series.rounds.push(work);
        }
    }
    OfText { bytes: text.len() as u64, tags: template.tags(params).len() as u64, series: series.into() }
}

fn work(calls: u64, mut call: impl FnMut() -> u64) -> Work {
    let clock = Clock::start();
    let seen = (0..calls).map(|_| black_box(call())).sum();
    clock.stop(calls, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_may_be_cached_and_is_followable() {
        for (text, _) in texts() {
            check(text).unwrap();
            derive(text, Some("shop")).followable().unwrap();
        }
    }
}
