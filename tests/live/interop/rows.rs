//! Our rows in a peer's format equal the peer's bytes, and a session with a peer's settings answers
//! as the peer's does. Canonical rows are JSON to both.

use mrc::config::MySqlConfig;
use mrc::store::MySqlExecutor;
use mrc::{Error, Params, RowFormat, params};
use mrc_tests::{SqlKind, unique};
use serde_json::{Value as Json, json};

use super::{Side, World, name, same, search, with_both_peers};
use crate::client::support::HOUR;
use crate::executor::PYTHON_COLUMNS;

const EVERYTHING: &str = "SELECT * FROM golden_types WHERE id = ?";

async fn golden() -> World {
    let world = World::open().await;
    world.database.execute(include_str!("../../golden/types.sql")).await;
    world
}

/// Returns the text that we store and the text that the peer stores, for one query.
async fn stored(world: &World, side: &Side, format: RowFormat, sql: &str, row: u32) -> (String, String) {
    let id = name("Id");
    let client = world.builder(side).row_format(format).build().unwrap();
    let params = Params::new().with(id, row);
    let key = client.key(side.query(sql), &params).unwrap().into_string();
    let answer = client.query_with_cache(side.query(sql), &params, HOUR).await.unwrap();
    let ours = world.get(&key).await;
    assert_eq!(ours, answer.as_str().unwrap());
    assert_eq!(world.redis.cli(&["DEL", &key]).await, "1");
    side.ask(sql, &[json!(row)], &[id]).await;
    (ours, world.get(&key).await)
}

#[tokio::test]
async fn every_type_as_each_peer_stores_it() {
    let world = golden().await;
    let python = format!("SELECT {PYTHON_COLUMNS} FROM golden_types WHERE id = ?");
    for (side, sql) in [(&world.npm, EVERYTHING), (&world.npm, &python), (&world.pypi, &python)] {
        for row in 1..=4 {
            let (ours, theirs) = stored(&world, side, side.rows, sql, row).await;
            assert_eq!(ours, theirs, "{:?}, row {row}", side.rows);
        }
    }
}

/// Compares reporting queries: sums, averages, expressions, joins, several rows and none.
#[tokio::test]
async fn queries_of_many_shapes_as_the_peers_store_them() {
    let world = golden().await;
    for sql in [
        "SELECT COUNT(*) AS n, SUM(i32) AS s, AVG(i32) AS a, MIN(d102) AS lo, MAX(d3010) AS hi FROM golden_types WHERE id <= ?",
        "SELECT SUM(d102) AS s, AVG(d102) AS a, SUM(f) AS f, AVG(d) AS d, STDDEV(t8) AS x FROM golden_types WHERE id < ?",
        "SELECT id, CONCAT(vc, '-', id) AS c, UPPER(tx) AS u, LENGTH(vc) AS l FROM golden_types WHERE id <> ? ORDER BY id",
        "SELECT a.id AS id, b.id AS other FROM golden_types a LEFT JOIN golden_types b ON b.id = a.id + 2 WHERE a.id > ? ORDER BY 1",
        "SELECT id FROM golden_types WHERE id > ? + 100",
        "SELECT id, id / 3 AS third, id DIV 2 AS half, -id AS minus, id = 1 AS is_one, NULL AS nothing FROM golden_types WHERE id >= ? ORDER BY id",
        "SELECT DATE_ADD(dt, INTERVAL 1 DAY) AS tomorrow, YEAR(da) AS y, UNIX_TIMESTAMP(ts) AS unix FROM golden_types WHERE id = ?",
        "SELECT id AS same, t8 AS same FROM golden_types WHERE id = ?",
        "SELECT 0.1 + 0.2 AS f, 1e-7 AS small, 1e21 AS big, 1.50 AS d, '007' AS text, 'é\\n' AS esc, ? AS id",
        "SELECT GROUP_CONCAT(id ORDER BY id) AS ids, HEX(MAX(bl)) AS hex FROM golden_types WHERE id = ?",
    ] {
        for side in world.sides() {
            let (ours, theirs) = stored(&world, side, side.rows, sql, 1).await;
            assert_eq!(ours, theirs, "{sql}");
        }
    }
}

/// Compares types of one server alone, with NULLs. The PyPI peer fails on a vector.
#[tokio::test]
async fn a_servers_own_types_as_the_npm_peer_stores_them() {
    let world = World::open().await;
    for (at, (own, value, _)) in SqlKind::of_this_run().own_types.iter().enumerate() {
        let table =
            format!("CREATE TABLE own{at} (id INT, a {own}); INSERT INTO own{at} VALUES (1, {value}), (2, NULL)");
        world.database.execute(&table).await;
        let sql = format!("SELECT a FROM own{at} WHERE id >= ? ORDER BY id");
        let (ours, theirs) = stored(&world, &world.npm, RowFormat::TypeScript, &sql, 1).await;
        assert_eq!(ours, theirs, "{own}");
    }
}

#[tokio::test]
async fn canonical_rows_are_json_to_both() {
    let world = golden().await;
    for side in world.sides() {
        let client = world.client(side);
        for row in 1..=4 {
            let id = name("Id");
            let params = Params::new().with(id, row);
            let ours: Json =
                client.query_with_cache(side.query(EVERYTHING), &params, HOUR).await.unwrap().json().unwrap();
            let theirs = side.read(&side.text(EVERYTHING), &[json!(row)], &[id]).await;
            assert!(same(&ours, &theirs), "row {row}: {ours} {theirs}");
            assert_eq!(theirs[0]["id"], json!(row));
        }
    }
}

tests!(with_both_peers, a_session_of_a_peer_is_set_up_as_by_its_driver);

/// All but the time limit, and `autocommit`, which the PyPI peer begins without.
const SESSION: &str = "SELECT @@collation_connection AS a, @@character_set_client AS b, @@character_set_connection AS c, \
                       @@character_set_results AS d, @@sql_mode AS e, @@time_zone AS f, @@sql_auto_is_null AS g, \
                       @@lc_time_names AS h, @@group_concat_max_len AS i, @@div_precision_increment AS j, \
                       @@max_sort_length AS k, @@sql_big_selects AS l, @@sql_safe_updates AS m, \
                       @@default_week_format AS n, @@character_set_server AS o, @@collation_database AS p";

const COMPARES: &str = "SELECT 'ß' = 'ss' AS a, 'ß' = 's' AS b, 'a ' = 'a' AS c, 'Ä' = 'a' AS d, 'æ' = 'ae' AS e";

/// Returns the answer of our session, as configured for this peer.
async fn ours(config: MySqlConfig, side: &Side, sql: &str) -> Result<Json, String> {
    let rows = search::ours(&MySqlExecutor::new(config).unwrap(), side, sql, &[]).await?;
    Ok(serde_json::from_str(&rows).unwrap())
}

async fn a_session_of_a_peer_is_set_up_as_by_its_driver(world: &World, side: &Side) {
    let config = MySqlConfig::from_url(&world.database.url()).unwrap().session_of(side.keys);
    let url = if side.is_python() { "python" } else { "typescript" };
    let by_url = MySqlConfig::from_url(&format!("{}?session={url}", world.database.url())).unwrap();
    for sql in [SESSION, COMPARES] {
        // The comment is unique: the peer would find another test's entry in the cache.
        let sql = format!("{sql} /* {} */", unique("session"));
        let theirs = side.ask(&sql, &[], &[]).await;
        assert_eq!(ours(config.clone(), side, &sql).await.unwrap(), theirs);
        assert_eq!(ours(by_url.clone(), side, &sql).await.unwrap(), theirs);
    }
}

#[tokio::test]
async fn a_blank_after_a_function_is_read_as_by_the_npm_peer() {
    let world = World::open().await;
    let sql = format!("SELECT COUNT (*) AS n FROM items /* {} */", unique("blank"));
    let config = || MySqlConfig::from_url(&world.database.url()).unwrap();
    let theirs = world.npm.ask(&sql, &[], &[]).await;
    assert_eq!(ours(config().session_of(world.npm.keys), &world.npm, &sql).await.unwrap(), theirs);
    assert_eq!(ours(config().ignore_space(true).sql_mode(""), &world.npm, &sql).await.unwrap(), theirs);
    assert!(ours(config(), &world.npm, &sql).await.is_err());
    let by_client = world.builder(&world.npm);
    let refused = by_client.build().unwrap().query_with_cache(&*sql, params! {}, HOUR).await.unwrap_err();
    assert!(matches!(refused, Error::NotCacheable(_)), "{refused:?}");
    let by_client = world.builder(&world.npm).mysql_config(config().session_of(world.npm.keys)).build().unwrap();
    let answer = by_client.query_with_cache(&*sql, params! {}, HOUR).await.unwrap();
    assert_eq!((answer.is_hit(), answer.json::<Json>().unwrap()), (true, theirs), "the peer's own entry");
}
