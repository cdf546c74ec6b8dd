//! Writes, and the invalidations after their commit.

use mrc::{Error, params};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use crate::orders::{Meta, order_tag};
use crate::shop::Shop;

/// A new order.
#[derive(Debug, Deserialize)]
pub struct NewOrder {
    /// The price.
    pub total: Decimal,
    /// The ordered items.
    pub meta: Meta,
}

/// The changes of an order.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// The new state.
    pub state: String,
    /// The new note. `None` removes the old note.
    pub note: Option<String>,
}

impl Shop {
    /// Stores an order and returns its id.
    ///
    /// # Errors
    /// The error of the database. The order isn't stored.
    pub async fn order(&self, store: u32, order: &NewOrder) -> Result<Option<u64>, Error> {
        let insert = "INSERT INTO shop_orders (store_id, total, meta) VALUES (?, ?, ?)";
        let meta = json!({ "items": order.meta.items });
        let params = params! { "StoreId" => store, "Total" => order.total, "Meta" => meta };
        let id = self.client.execute(insert, params).await?.last_insert_id;
        if let Err(error) = self.client.drop_outdated_cache(params! { "StoreId" => store }).await {
            // An error would make the client order again. Old entries stay until their TTL ends.
            eprintln!("store {store}: {error}");
        }
        Ok(id)
    }

    /// Changes an order of a store. Returns false if there is no such order.
    ///
    /// # Errors
    /// - The database's error: nothing has changed.
    /// - [`Error::NotInvalidated`]: committed, but the cache failed. A retry does no harm.
    pub async fn change(&self, store: u32, id: u64, change: &Change) -> Result<bool, Error> {
        self.client
            .transaction(async |tx| {
                let find = "SELECT id FROM shop_orders WHERE store_id = ? AND id = ?";
                let found: Option<u64> = tx.query(find, params! { "StoreId" => store, "Id" => id }).await?.row()?;
                if found.is_none() {
                    return Ok(false);
                }
                let update = "UPDATE shop_orders SET state = ?, note = ? WHERE id = ?";
                let params = params! { "State" => &change.state, "Note" => change.note.clone(), "Id" => id };
                tx.execute(update, params).await?;
                tx.drop_outdated_cache(params! { "StoreId" => store }); // its lists and report
                tx.invalidate(order_tag(id)); // the lists by id
                Ok(true)
            })
            .await
    }
}
