//! The data that all contenders work on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mrc::errors::KeyError;
use mrc::key::KeyScheme;
use mrc::store::{CacheStore, Claim, Life, RedisStore, Terms, Token};
use mrc::{MrcClient, params};
use mrc_tests::{Proxy, Redis, numbers};
use serde::{Deserialize, Serialize};

use crate::Res;

pub(crate) const TAGS: [&str; 3] = ["orders", "StoreId=6", "lang:de"];
pub(crate) const TTL: Duration = Duration::from_secs(3600);
/// The store whose orders are read.
pub(crate) const STORE: u32 = 6;
/// The number of orders in the table: enough for every query here.
pub(crate) const ORDERS: u32 = 200_000;
pub(crate) const BY_ID: &str =
    "SELECT id, store_id, state, customer, total, items, created_at, paid FROM orders WHERE id = ?";

/// Reads several orders, for the same entries.
pub(crate) const BY_IDS: &str =
    "SELECT id, store_id, state, customer, total, items, created_at, paid FROM orders WHERE id IN (?)";
/// The name of the number in keys.
pub(crate) const ID: &str = "OrderId";

/// Returns the SQL of the table of orders, which the server fills itself.
pub(crate) fn schema() -> String {
    format!(
        "CREATE TABLE orders (
            id INT UNSIGNED PRIMARY KEY, store_id INT UNSIGNED NOT NULL, state VARCHAR(16) NOT NULL,
            customer VARCHAR(40) NOT NULL, total DECIMAL(10,2) NOT NULL, items INT NOT NULL,
            created_at DATETIME NOT NULL, paid TINYINT(1) NOT NULL);
        INSERT INTO orders SELECT seq, {STORE}, ELT(1 + seq % 3, 'open', 'shipped', 'cancelled'),
            CONCAT('Customer ', LPAD(seq * 7919 % 1000003, 8, '0')), 10 + seq * 31 % 9000 + 0.25, 1 + seq % 9,
            '2025-01-15 10:30:00' + INTERVAL seq MINUTE, seq % 2 FROM {} AS n",
        numbers(ORDERS.into())
    )
}

pub(crate) fn query(rows: u32) -> String {
    format!(
        "SELECT id, store_id, state, customer, total, items, created_at, paid FROM orders WHERE store_id = ? ORDER BY id LIMIT {rows}"
    )
}

/// The servers that a contender works on. An empty URL stands for a server that it doesn't need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Urls {
    pub(crate) redis: String,
    pub(crate) mysql: String,
}

impl Urls {
    pub(crate) fn new(redis: &Redis, mysql: impl Into<String>) -> Self {
        Self { redis: redis.url(), mysql: mysql.into() }
    }

    /// Returns the servers with Redis behind a wire.
    pub(crate) fn behind(wire: &Proxy, mysql: impl Into<String>) -> Self {
        Self { redis: format!("redis://127.0.0.1:{}", wire.port()), mysql: mysql.into() }
    }

    /// Returns a client that fills the entries that all contenders read.
    pub(crate) fn client(&self) -> Res<MrcClient> {
        Ok(MrcClient::builder().mysql(&self.mysql).redis(&self.redis).build()?)
    }
}

/// A row that owns its texts.
#[derive(Debug, Deserialize, Serialize)]
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

/// Returns an order as the table has it.
pub(crate) fn order(id: u32) -> Order {
    Order {
        id,
        store_id: STORE,
        state: "shipped".into(),
        customer: format!("Customer {id:08}"),
        total: 41.25,
        items: 2,
        created_at: "2025-01-15T10:31:00".into(),
        paid: 1,
    }
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

/// The function whose values are in bounded caches.
pub(crate) const FUNCTION: &str = "orders";
/// The number of hit entries, where the cache holds twice as many. They are spread over the order.
pub(crate) const HOT: u32 = 20_000;

/// Returns the namespace, or the name, of the bounded cache of `entries` entries.
pub(crate) fn bounded_name(entries: u32) -> String {
    format!("bench-{entries}")
}

/// Returns the order that call `number` asks for: a cached one, or for a miss a new one.
pub(crate) fn bounded_id(number: u64, entries: u32, miss: bool) -> u32 {
    let hot = (entries / 2).min(HOT);
    let id =
        if miss { u64::from(entries) + number } else { number * 7_919 % u64::from(hot) * u64::from(entries / hot) };
    u32::try_from(id).unwrap_or(u32::MAX)
}

/// Returns the key of a page of a store's orders, as both peers write it.
pub(crate) fn page_key(page: u32) -> Result<String, KeyError> {
    Ok(KeyScheme::default().key("orders", &params! { "StoreId" => STORE, "Page" => page })?.into_string())
}

/// Stores a value with tags by the protocol: claim, clock, fill.
pub(crate) async fn fill(store: &RedisStore, key: &str, value: &'static [u8], tags: &[&str]) -> Res<()> {
    // Unique tokens: nobody else claims here.
    static CLAIMS: AtomicU64 = AtomicU64::new(0);
    let token = Token::from_bits(CLAIMS.fetch_add(1, Ordering::Relaxed).into());
    let claim = store.claim(key, &token, Terms::fill(TTL)).await?;
    let now = store.now().await?;
    let life = Life::from(TTL).tags(tags.iter().map(|&tag| (tag.into(), now)).collect());
    if claim == Claim::Granted && store.fill(key, &token, value.into(), life).await? {
        Ok(())
    } else {
        Err(format!("{key} could not be filled").into())
    }
}

/// The table of the shop whose orders are read and changed at once.
pub(crate) const TABLE: &str = "orders";
pub(crate) const STORES: u32 = 1_000;
pub(crate) const ORDERS_A_STORE: u32 = 10;

/// Returns the SQL of the shop's tables. Each change of an order adds 1 to its version.
pub(crate) fn shop_schema() -> String {
    format!(
        "CREATE TABLE stores (id INT UNSIGNED PRIMARY KEY, name VARCHAR(40) NOT NULL);
        INSERT INTO stores SELECT seq, CONCAT('Store ', seq) FROM {} AS n;
        CREATE TABLE {TABLE} (
            id INT UNSIGNED PRIMARY KEY, store_id INT UNSIGNED NOT NULL, state VARCHAR(16) NOT NULL,
            total DECIMAL(10,2) NOT NULL, version INT UNSIGNED NOT NULL, KEY (store_id));
        INSERT INTO {TABLE} SELECT seq, 1 + (seq - 1) DIV {ORDERS_A_STORE},
            ELT(1 + seq % 3, 'open', 'shipped', 'cancelled'), 10 + seq * 31 % 9000 + 0.25, 0 FROM {} AS n",
        numbers(STORES.into()),
        numbers((STORES * ORDERS_A_STORE).into())
    )
}
