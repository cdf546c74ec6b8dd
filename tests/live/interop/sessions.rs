//! A session with a peer's settings answers as the peer's does.

use mrc::config::MySqlConfig;
use mrc::rows::RowEncoder;
use mrc::store::{MySqlExecutor, QueryExecutor};
use mrc::{Error, Params, params};
use mrc_tests::unique;
use serde_json::Value as Json;

use super::{Side, World, with_both_peers};
use crate::client::support::HOUR;

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
    let executor = MySqlExecutor::new(config).unwrap();
    let mut rows = RowEncoder::new(side.rows);
    executor.query(sql, &Params::new(), &mut rows).await.map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&rows.finish().unwrap()).unwrap())
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
