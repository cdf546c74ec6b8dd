//! Random changes of columns of all types, under conditions of all classes: no answer is stale.

use mrc_core::{Params, params};
use mrc_tests::cases;
use rand::seq::IndexedRandom;

use super::{Asked, Auto};

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, n INT NULL, u BIGINT UNSIGNED NULL, d DECIMAL(6, 2) NULL, \
    ci VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL, \
    bin VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
    la CHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci NULL, \
    lt VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_lithuanian_ci NULL, \
    e ENUM('open', 'paid', '1') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL, day DATE NULL, \
    at DATETIME NOT NULL DEFAULT '2025-01-15', vb VARBINARY(8) NULL, b BINARY(5) NULL, f DOUBLE NULL, y YEAR NULL, \
    s SET('a', 'b') NULL)";

const INTS: &[&str] = &["0", "1", "2", "-1", "6", "NULL"];
const TEXTS: &[&str] =
    &["'a'", "'A'", "'a '", "'á'", "'open'", "'OPEN'", "'ß'", "'ss'", "'i'", "'y'", "'1'", "'01'", "''", "NULL"];
const COLUMNS: &[(&str, &[&str])] = &[
    ("n", INTS),
    ("u", &["0", "1", "6", "18446744073709551615", "NULL"]),
    ("d", &["0", "1", "1.5", "1.50", "-0.5", "2.25", "NULL"]),
    ("ci", TEXTS),
    ("bin", TEXTS),
    ("la", TEXTS),
    ("lt", TEXTS),
    ("e", &["'open'", "'paid'", "'1'", "1", "'nothing'", "NULL"]),
    ("day", &["'2025-01-15'", "'2025-01-16'", "'0000-00-00'", "NULL"]),
    ("at", &["'2025-01-15 10:00:00'", "'2025-01-15'", "'0000-00-00'"]),
    ("vb", &["X'61'", "X'6100'", "X'41'", "X''", "NULL"]),
    ("b", &["X'61'", "X'6100'", "X'41'", "X''", "X'6162636465'", "NULL"]),
    ("f", &["0", "1", "1.5", "NULL"]),
    ("y", &["2025", "2001", "0", "NULL"]),
    ("s", &["'a'", "'a,b'", "''", "NULL"]),
];

const CONDITIONS: &str = "\
    n = 1; n = 1.5; n = '6abc'; n IS NULL; n IN (0, 6); u = 18446744073709551615; \
    u = 1 AND n = 2; d = 1.5; d = 1; d = 2.25 AND ci = 'a'; ci = 'a'; ci = 'open'; ci = 'ss'; \
    ci = ''; ci = 0; ci IS NULL; bin = 'a'; bin = 'open' AND n IS NULL; bin IN ('A', '1'); \
    la = 'ss'; la = 'a'; la = 'open'; lt = 'i'; lt = 'open'; e = 'open'; e = 'paid' AND n = 1; \
    e = '1'; e = 1; e IS NULL; day = '2025-01-15'; day IS NULL; at = '2025-01-15'; at IS NULL; \
    vb = X'61'; vb = 'a'; b = X'6100000000'; b IS NULL; f = 1; f IS NULL; y = 2025; y IS NULL; \
    s = 'a'; s IS NULL; n = 1 OR u = 1";

fn asked() -> Vec<Asked> {
    let of = |condition: &str| {
        let sql = format!("SELECT COUNT(*) AS n, COALESCE(SUM(id), 0) AS ids FROM t WHERE {condition}");
        (&*condition.to_owned().leak(), &*sql.leak(), Params::new())
    };
    let day = mrc_core::Date::new(2025, 1, 15).unwrap();
    let bytes = |bytes: &[u8]| params! { "Bytes" => bytes.to_vec() };
    let mut asked: Vec<Asked> = CONDITIONS.split("; ").map(of).collect();
    asked.extend([
        ("a date", "SELECT id FROM t WHERE day = ? ORDER BY id", params! { "Day" => day }),
        ("bytes", "SELECT id FROM t WHERE vb = ? ORDER BY id", bytes(b"a\0")),
        ("padded", "SELECT id FROM t WHERE b = ? ORDER BY id", bytes(b"a\0\0\0\0")),
        (
            "self",
            "SELECT one.id FROM t AS one JOIN t AS two ON two.n = one.n AND two.ci = 'a' WHERE one.u = 1",
            Params::new(),
        ),
        (
            "outer",
            "SELECT one.id FROM t AS one LEFT JOIN t AS two ON two.n = 1 AND two.u = one.u WHERE one.n = 0 ORDER BY 1",
            Params::new(),
        ),
    ]);
    asked
}

fn change() -> String {
    let mut rng = rand::rng();
    let id = rand::random_range(1..8);
    let mut column = || {
        let (name, values) = COLUMNS.choose(&mut rng).unwrap();
        (*name, *values.choose(&mut rng).unwrap())
    };
    let ((one, value), (two, other)) = (column(), column());
    match rand::random_range(0..12) {
        0 => format!("DELETE FROM t WHERE id = {id}"),
        1 => format!("UPDATE t SET {one} = {value}"),
        2 => format!("SET SESSION binlog_row_image = MINIMAL; UPDATE t SET {one} = {value} WHERE id = {id}"),
        3..5 if one != two => format!("REPLACE INTO t (id, {one}, {two}) VALUES ({id}, {value}, {other})"),
        _ => format!("INSERT INTO t (id, {one}) VALUES ({id}, {value}) ON DUPLICATE KEY UPDATE {one} = {value}"),
    }
}

#[tokio::test]
async fn random_changes_leave_no_stale_answer() {
    let auto = Auto::open(TABLE, asked()).await;
    let (mut left, rounds) = (0, cases(12));
    for _ in 0..rounds {
        let change = change();
        // It is printed if the test fails.
        println!("{change}");
        auto.database.execute(&format!("SET SESSION sql_mode = ''; {change}")).await;
        left += asked().len() - auto.gone().await.len();
    }
    println!("{left} of {} entries were left", asked().len() * rounds as usize);
    assert!(left > rounds as usize, "whole tables would leave nothing");
}
