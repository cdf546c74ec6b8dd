//! The shop whose orders are read and changed at once.

use mrc_tests::numbers;

pub(crate) const TABLE: &str = "orders";
pub(crate) const STORES: u32 = 1_000;
pub(crate) const ORDERS_A_STORE: u32 = 10;

/// Returns the SQL of its tables. Each change of an order adds 1 to its version.
pub(crate) fn schema() -> String {
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
