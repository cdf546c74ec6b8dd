//! A cached function that runs two queries.

use mrc::{Error, Spec, params};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::orders::Order;
use crate::shop::{Shop, TTL};

/// A store's sales.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The number of orders.
    pub orders: u64,
    /// The total price of all orders.
    pub total: Decimal,
    /// The order with the highest price.
    pub largest: Option<Order>,
}

impl Shop {
    /// Returns a store's sales.
    ///
    /// The entry inherits the queries' param `StoreId`: dropping `StoreId=6` drops the report too.
    ///
    /// # Errors
    /// The error of the database.
    pub async fn report(&self, store: u32) -> Result<Report, Error> {
        let compute = || async {
            let sums = "SELECT COUNT(*), SUM(total) FROM shop_orders WHERE store_id = ?";
            let largest = "SELECT id, state, total, placed_at, meta, note FROM shop_orders
                           WHERE store_id = ? ORDER BY total DESC, id LIMIT 1";
            let params = params! { "StoreId" => store };
            let row: Option<(u64, Option<Decimal>)> = self.client.row_with_cache(sums, &params, TTL).await?;
            let (orders, total) = row.unwrap_or_default(); // the sum of no rows is NULL
            let largest = self.client.row_with_cache(largest, &params, TTL).await?;
            Ok(Report { orders, total: total.unwrap_or_default(), largest })
        };
        self.reports.get_or_try(Spec::of("report").param("store", store), compute).await
    }
}
