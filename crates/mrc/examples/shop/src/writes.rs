//! Writes, and what they invalidate once they are committed.

use mrc::{Error, params};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use crate::orders::{Meta, order_tag};
use crate::shop::Shop;

/// An order that comes in.
#[derive(Debug, Deserialize)]
pub struct NewOrder {
    /// What it costs.
    pub total: Decimal,
    /// What is ordered.
    pub meta: Meta,
}

/// What changes in an order.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// Its new state.
    pub state: String,
    /// Its new note. `None` removes the old one.
    pub note: Option<String>,
}

impl Shop {
    /// Stores an order and returns its id.
    ///
    /// # Errors
    /// The database's: the order isn't stored.
    pub async fn order(&self, store: u32, order: &NewOrder) -> Result<Option<u64>, Error> {
        let insert = "INSERT INTO shop_orders (store_id, total, meta) VALUES (?, ?, ?)";
        let params =
            params! { "StoreId" => store, "Total" => order.total, "Meta" => json!({ "items": order.meta.items }) };
        let id = self.client.execute(insert, params).await?.last_insert_id;
        if let Err(error) = self.client.drop_outdated_cache(params! { "StoreId" => store }).await {
            // The order is stored. An error would make its client order again. The old entries stay until their TTL ends.
            eprintln!("store {store}: {error}");
        }
        Ok(id)
    }

    /// Changes an order of a store. Returns false if there is no such order.
    ///
    /// # Errors
    /// The database's: nothing has changed. [`Error::NotInvalidated`]: the change is committed, and the cache has failed. Calling it
    /// again does no harm.
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
                tx.drop_outdated_cache(params! { "StoreId" => store }); // its lists, and the report that read them
                tx.invalidate(order_tag(id)); // the lists of chosen orders
                Ok(true)
            })
            .await
    }
}
