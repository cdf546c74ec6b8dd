//! The shop: 100,000 orders, the same in every run, and the query about them.

/// The number of orders.
pub(super) const ORDERS: u64 = 100_000;
/// The number of stores. All have the same number of orders.
pub(super) const STORES: u64 = 100;
const BATCH: u64 = 10_000;

const DIGITS: &str = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";

/// The statements of the demo, in SQL that MySQL, MariaDB and SQLite share.
pub(super) struct Shop {
    table: String,
}

impl Shop {
    pub(super) fn new(table: &str) -> Self {
        Self { table: table.to_owned() }
    }

    /// Returns the statement that creates the table. The query reads every row, because the only
    /// index is the primary key, which some servers require.
    pub(super) fn create(&self) -> String {
        let columns = "id BIGINT PRIMARY KEY, store_id INT NOT NULL, state VARCHAR(10) NOT NULL, cents BIGINT NOT NULL";
        format!("CREATE TABLE {} ({columns})", self.table)
    }

    /// Returns the statements that fill the table. The database generates the rows.
    pub(super) fn batches(&self) -> impl Iterator<Item = String> + '_ {
        (0..ORDERS / BATCH).map(|batch| {
            let numbers = format!("SELECT {} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n", batch * BATCH);
            let order = format!(
                "n, n % {STORES}, CASE n % 7 WHEN 0 THEN 'open' WHEN 1 THEN 'returned' ELSE 'paid' END, 99 + n * 7919 % 20000"
            );
            format!(
                "INSERT INTO {} (id, store_id, state, cents) SELECT {order} FROM \
                 ({numbers} FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e) numbers",
                self.table
            )
        })
    }

    /// Returns the query, with a placeholder for the store.
    pub(super) fn question(&self) -> String {
        format!("SELECT COUNT(*) AS orders, SUM(cents) AS cents FROM {} WHERE store_id = ?", self.table)
    }

    /// Returns the statement that adds one order, with a placeholder for the store.
    pub(super) fn write(&self) -> String {
        format!("INSERT INTO {} (id, store_id, state, cents) VALUES ({ORDERS}, ?, 'open', 4200)", self.table)
    }

    pub(super) fn drop(&self) -> String {
        format!("DROP TABLE IF EXISTS {}", self.table)
    }
}
