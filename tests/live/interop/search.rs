//! A random search for a query whose rows we and the peers store differently.

use mrc::Params;
use mrc::config::MySqlConfig;
use mrc::key::Value;
use mrc::rows::{DateTime, RowEncoder};
use mrc::store::{MySqlExecutor, QueryExecutor};
use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::{Value as Json, json};

use super::{Side, World, name};

const TABLE: &str = include_str!("search/table.sql");

const COLUMNS: &[&str] = &[
    "i8", "u8", "i32", "z", "i64", "u64", "d102", "d3010", "f", "f73", "f50", "d", "dd", "dl", "yr", "b1", "b8", "b16",
    "vc", "num", "ch", "tx", "en", "st", "vb", "bl", "da", "dt", "dt3", "dt6", "ts", "ti", "ti3",
];

/// `#` and `@` are columns.
const QUERIES: &str = include_str!("search/queries.sql");

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

pub(super) async fn ours(executor: &MySqlExecutor, side: &Side, sql: &str, values: &[Value]) -> Result<String, String> {
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
        let sql = QUERIES.lines().choose(&mut rng).unwrap().replace('#', one).replace('@', other);
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
