//! Cached queries, read into a struct.

use chrono::NaiveDateTime;
use mrc::{Error, Query, Tag, params};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::shop::{Shop, TTL};

/// An order. Each field reads its column without an attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// `BIGINT`
    pub id: u64,
    /// `VARCHAR`
    pub state: String,
    /// `DECIMAL(10,2)`, with all digits.
    pub total: Decimal,
    /// `DATETIME`
    pub placed_at: NaiveDateTime,
    /// `JSON`
    pub meta: Meta,
    /// A column that may be NULL.
    pub note: Option<String>,
}

/// The content of the JSON column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The ordered items.
    pub items: Vec<String>,
}

impl Shop {
    /// Returns the orders of a store.
    ///
    /// # Errors
    /// The error of the database. A failing cache is no error.
    pub async fn orders(&self, store: u32) -> Result<Vec<Order>, Error> {
        let sql = "SELECT id, state, total, placed_at, meta, note FROM shop_orders WHERE store_id = ? ORDER BY id";
        self.client.rows_with_cache(sql, params! { "StoreId" => store }, TTL).await
    }

    /// Returns the orders with these ids, from any store.
    ///
    /// # Errors
    /// As for [`orders`](Self::orders). Also [`Error::Key`] if the list is empty.
    pub async fn orders_by_id(&self, ids: Vec<u64>) -> Result<Vec<Order>, Error> {
        let sql = "SELECT id, state, total, placed_at, meta, note FROM shop_orders WHERE id IN (?) ORDER BY id";
        // A drop by one id can't find the entry, because the list is one param. The tags do.
        let query = ids.iter().fold(Query::new(sql), |query, id| query.tag(order_tag(*id)));
        self.client.rows_with_cache(query, params! { "Ids" => ids }, TTL).await
    }
}

/// Returns the tag of entries that hold this order by its id. Reads and writes share this function.
pub(crate) fn order_tag(id: u64) -> Tag {
    Tag::new(format!("order:{id}"))
}
