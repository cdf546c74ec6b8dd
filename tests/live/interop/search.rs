//! A random search for a query whose rows we and the peers store differently.

use mrc::Params;
use mrc::config::MySqlConfig;
use mrc::key::Value;
use mrc::rows::{DateTime, RowEncoder};
use mrc::store::{MySqlExecutor, QueryExecutor};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value as Json, json};

use super::{Side, World, name};

const TABLE: &str = r#"
    CREATE TABLE r (id INT PRIMARY KEY, i8 TINYINT, u8 TINYINT UNSIGNED, i32 INT, z INT(8) ZEROFILL, i64 BIGINT, u64 BIGINT UNSIGNED,
      d102 DECIMAL(10,2), d3010 DECIMAL(30,10), f FLOAT, f73 FLOAT(7,3), f50 FLOAT(5,0), d DOUBLE, dd DOUBLE(10,2), dl DOUBLE(30,15),
      yr YEAR, b1 BIT(1), b8 BIT(8), b16 BIT(16), vc VARCHAR(40), num VARCHAR(40), ch CHAR(4), tx TEXT, en ENUM('a','7'),
      st SET('x','y'), vb VARBINARY(20), bl BLOB, da DATE, dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL,
      ti TIME, ti3 TIME(3), js JSON) CHARACTER SET utf8mb4;
    INSERT INTO r VALUES
    (1, -5, 200, -2000000000, 42, 9007199254740993, 18446744073709551615, 10.50, 3.1415926535, 1.1, 1234.567, 3, 0.1, 0.1, 9.123456789012345,
     2025, b'1', b'01101010', b'0110101001100001', 'héllo', '00123', 'ab', 'tx \\ \' x', '7', 'x,y', 'bin', 'blob', '1993-06-15',
     '2025-01-15 10:30:00', '2025-01-15 10:30:00.120', '2025-01-15 10:30:00.123456', '2025-01-15 10:30:00', '12:34:56', '01:02:03.120',
     '{"b": true}'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, 0, 0, 0, 0, 0, 0, 0.00, 0.0000001, 0.333333333, 0.001, -0.4, -0.3333333333333333, 0.2, 0.3, 1970, b'0', b'1', b'0', '', '1.50',
     '', '', 'a', '', '', '', '2000-02-29', '2000-02-29 00:00:00', '2000-02-29', '2000-02-29', '2000-02-29 00:00:00', '00:00:00',
     '00:00:00', '{}'),
    (4, 127, 255, 2147483647, 12345678, -9223372036854775808, 1, -99999999.99, 12345678901234567890.0123456789, 16777216, 9999.999, 12345,
     9.007199254740993, 99999999.99, 123456789012345.678901234567890, 2155, b'1', b'00110001', b'1', 'abc', '-7', '5', '1e5', '7', 'y', '5', '12',
     '9999-12-31', '9999-12-31 23:59:59', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.000001', '2038-01-19 03:14:07', '-10:00:00',
     '838:59:59', '[1, 2.5]')"#;

const COLUMNS: &[&str] = &[
    "i8", "u8", "i32", "z", "i64", "u64", "d102", "d3010", "f", "f73", "f50", "d", "dd", "dl", "yr", "b1", "b8", "b16",
    "vc", "num", "ch", "tx", "en", "st", "vb", "bl", "da", "dt", "dt3", "dt6", "ts", "ti", "ti3",
];

/// `#` and `@` are columns.
const QUERY_TEXTS: &[&str] = &[
    "SELECT # FROM r ORDER BY id",
    "SELECT js, # AS v FROM r ORDER BY id",
    "SELECT MAX(#) AS v, MIN(#) AS w FROM r",
    "SELECT SUM(#) AS v, AVG(#) AS w, STDDEV(#) AS x FROM r",
    "SELECT COUNT(DISTINCT #) AS v, GROUP_CONCAT(# ORDER BY id) AS w FROM r",
    "SELECT COALESCE(#, ?) AS v FROM r ORDER BY id",
    "SELECT IFNULL(#, @) AS v FROM r ORDER BY id",
    "SELECT IF(id = ?, #, @) AS v FROM r ORDER BY id",
    "SELECT IF(id = 1, #, 1) AS v FROM r ORDER BY id",
    "SELECT CASE WHEN id > ? THEN # ELSE ? END AS v FROM r ORDER BY id",
    "SELECT # + ? AS v, # * 1.5 AS w, -# AS x, # / 3 AS y FROM r WHERE id IN (1, 2, 3) ORDER BY id",
    "SELECT ROUND(#, 2) AS v, TRUNCATE(#, 1) AS w, PI() AS x FROM r ORDER BY id",
    "SELECT NULLIF(#, ?) AS v, # = ? AS w FROM r ORDER BY id",
    "SELECT GREATEST(#, ?) AS v FROM r ORDER BY id",
    "SELECT CONCAT(#, ?) AS v, CONCAT(?, 'x') FROM r ORDER BY id",
    "SELECT id FROM r WHERE # = ? ORDER BY id",
    "SELECT id FROM r WHERE # >= ? ORDER BY id",
    "SELECT id, # FROM r WHERE # IN (?, ?) ORDER BY id",
    "SELECT id FROM r WHERE js->'$.b' = ?",
    "SELECT ?, ? AS b",
    "SELECT CAST(# AS CHAR) AS v, HEX(#) AS w, LENGTH(#) AS x FROM r ORDER BY id",
    "SELECT CAST(? AS SIGNED) AS v, CAST(? AS CHAR) AS w, ? * 3 AS x",
    "SELECT # AS v FROM r WHERE id = 1 UNION ALL SELECT ?",
    "SELECT # AS v FROM r WHERE id = 1 UNION ALL SELECT @ FROM r WHERE id = 4",
    "SELECT DATE_ADD(#, INTERVAL ? DAY) AS v FROM r WHERE id <> 4 ORDER BY id",
    "SELECT a.#, b.# FROM r a JOIN r b ON a.id = b.id ORDER BY a.id",
    "SELECT id FROM r ORDER BY id LIMIT ?",
];

/// Returns values for the peer and for us.
fn values(side: &Side) -> Vec<(Json, Value)> {
    let day = mrc::rows::Date { year: 2025, month: 1, day: 15 };
    let at = DateTime { date: day, hour: 10, minute: 30, second: 0, micros: 0 };
    let texts =
        ["", "5", "0123", "none", "abc", "it's", "\"\\\n\0\x1a\t", "héllo 🚀", "2025-01-15", "10:00:00", "1.5", "%"];
    let texts = texts.map(|text| (json!(text), Value::from(text)));
    let whole = [0, 1, 2, 5, -1, 25, 123, 2_147_483_648_i64].map(|int| (json!(int), Value::from(int)));
    let floats = [1.5, 0.1, -0.25, 1e300, 2.5e-7].map(|float| (json!(float), Value::from(float)));
    let bytes = [("ag==", "j"), ("YmxvYg==", "blob")];
    let bytes = bytes.map(|(base64, bytes)| (json!({ "$bytes": base64 }), Value::from(bytes.as_bytes().to_vec())));
    let others = [
        (Json::Null, Value::Null),
        (json!(true), Value::from(true)),
        (json!(false), Value::from(false)),
        (json!({"$date": "2025-01-15T10:30:00Z"}), Value::from(at)),
    ];
    let dates = side.is_python().then(|| (json!({"$date": "2025-01-15"}), Value::from(day)));
    texts.into_iter().chain(whole).chain(floats).chain(bytes).chain(others).chain(dates).collect()
}

async fn ours(executor: &MySqlExecutor, side: &Side, sql: &str, values: &[Value]) -> Result<String, String> {
    let params = values.iter().cloned().fold(Params::new(), Params::with_unnamed);
    let mut rows = RowEncoder::new(side.rows);
    executor.query(sql, &params, &mut rows).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(rows.finish().map_err(|error| error.to_string())?.to_vec()).unwrap())
}

/// Returns what the peer stored. Returns `None` if it failed, as the PyPI peer does on a `TIME`.
async fn theirs(world: &World, side: &Side, sql: &str, values: &[Json]) -> Option<String> {
    let names: Vec<&str> = values.iter().map(|_| name("P")).collect();
    // A comment makes a new key.
    let text = format!("{} -- {}", side.text(sql), name("query"));
    let request = json!({"op": "query", "query": text, "params": values, "names": names, "ttl": 60});
    side.peer.try_call(&request).await.ok()?;
    Some(world.get(&side.peer.key(&text, values, &names).await).await)
}

/// Returns how many queries the peers answered, and those that we store differently.
async fn search(queries: usize) -> (usize, Vec<String>) {
    let world = World::open().await;
    world.database.execute(TABLE).await;
    let executor = async |side: &Side| {
        // Texts compare by the collation of the session, which each peer sets itself.
        let asked = format!("SELECT @@collation_connection AS name -- {}", name("query"));
        let collation = side.ask(&asked, &[], &[]).await[0]["name"].take();
        let config = MySqlConfig::from_url(&world.database.url()).unwrap().collation(collation.as_str().unwrap());
        MySqlExecutor::new(config).unwrap()
    };
    let executors = [executor(&world.npm).await, executor(&world.pypi).await];
    let (mut rng, mut answered, mut differ) = (rand::rng(), 0, Vec::new());
    for at in 0..queries {
        let (side, executor) = (world.sides()[at % 2], &executors[at % 2]);
        let [one, other] = [(); 2].map(|()| COLUMNS.choose(&mut rng).unwrap());
        let sql = QUERY_TEXTS.choose(&mut rng).unwrap().replace('#', one).replace('@', other);
        let all = values(side);
        let (json, values): (Vec<_>, Vec<_>) =
            (0..sql.matches('?').count()).map(|_| all[rng.random_range(0..all.len())].clone()).unzip();
        let Some(theirs) = theirs(&world, side, &sql, &json).await else { continue };
        answered += 1;
        let ours = ours(executor, side, &sql, &values).await;
        if ours.as_ref() != Ok(&theirs) {
            differ.push(format!("{:?} `{sql}` {values:?}\n  ours:   {ours:?}\n  theirs: {theirs}", side.rows));
        }
    }
    (answered, differ)
}

#[tokio::test]
async fn rows_of_any_query_are_the_bytes_that_the_peers_store() {
    let queries = mrc_tests::cases(150) as usize;
    let (answered, differ) = search(queries).await;
    assert!(differ.is_empty(), "{} of {answered} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(answered > queries / 2, "the peers answered {answered} of {queries}");
}
