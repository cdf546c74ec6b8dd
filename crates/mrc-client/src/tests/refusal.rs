//! Bad input is refused with a typed error, before anything runs or is written.

use std::time::Duration;

use mrc_core::{KeyError, Params, TtlError, params};
use mrc_store::ExecuteError;

use super::support::*;
use crate::{Error, MrcClient, Query};

async fn refused<'a>(query: impl Into<Query<'a>>, params: Params, ttl: Duration) -> Error {
    let it = Fixture::new(Database::open());
    let error = it.client.query_with_cache(query, params, ttl).await.unwrap_err();
    assert_eq!((it.database.queries(), it.store.calls().len()), (0, 0), "{error}");
    error
}

#[tokio::test]
async fn a_statement_that_is_no_plain_read_is_refused_with_a_pointer() {
    for sql in [
        "DELETE FROM t",
        "SELECT 1; DELETE FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT LAST_INSERT_ID()",
        "SELECT @x",
        "SELECT f()",
        "SELECT version FROM t WHERE id=1e3LOCK IN SHARE MODE",
        "SELECT * FROM performance_schema.session_status",
    ] {
        let error = refused(sql, params! {}, HOUR).await;
        assert!(matches!(error, Error::NotCacheable(_)), "{sql}: {error:?}");
        let pointer = ["`MrcClient::query`", "`MrcClient::execute`"];
        assert!(pointer.iter().any(|call| error.to_string().contains(call)), "{error}");
    }
}

#[tokio::test]
async fn the_caller_can_vouch_for_a_read() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t PROCEDURE ANALYSE()";
    it.client.query_with_cache(Query::new(sql).trust_read_only(), params! {}, HOUR).await.unwrap();
    assert_eq!(it.database.queries(), 1);
}

#[tokio::test]
async fn params_must_fit_the_placeholders_also_on_a_hit() {
    let it = Fixture::new(Database::open());
    it.version().await;
    let calls = it.store.calls().len();
    let error = it.client.query_with_cache(SQL, params! { "Id" => 1, "More" => 2 }, HOUR).await.unwrap_err();
    let Error::Database(error) = error else { panic!("{error:?}") };
    assert!(matches!(*error, ExecuteError::ParamCount { placeholders: 1, params: 2 }));
    assert_eq!(it.store.calls().len(), calls);
}

#[tokio::test]
async fn params_that_make_no_key_are_refused() {
    assert!(matches!(
        refused(SQL, Params::new().with_unnamed(1), HOUR).await,
        Error::Key(KeyError::Unnamed { position: 1 })
    ));
    assert!(matches!(refused(SQL, params! { "" => 1 }, HOUR).await, Error::Key(KeyError::EmptyName { .. })));
    assert!(matches!(refused(SQL, params! { "a=b" => 1 }, HOUR).await, Error::Key(KeyError::NameWithEquals { .. })));
    assert!(matches!(refused(SQL, params! { "A" => f64::NAN }, HOUR).await, Error::Key(KeyError::NotFinite { .. })));
    assert!(matches!(
        refused(SQL, params! { "A" => Vec::<u32>::new() }, HOUR).await,
        Error::Key(KeyError::EmptyList { .. })
    ));
}

#[tokio::test]
async fn a_ttl_of_zero_is_refused() {
    assert!(matches!(refused(SQL, params! { "Id" => 1 }, Duration::ZERO).await, Error::Ttl(TtlError::Zero)));
}

#[tokio::test]
async fn a_statement_that_reads_the_clock_is_cached_and_reported_once() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t WHERE created > NOW() - INTERVAL ? DAY";
    for days in [1, 1, 2] {
        it.client.query_with_cache(sql, params! { "Days" => days }, HOUR).await.unwrap();
    }
    assert_eq!(it.events(), ["DependsOnClock", "Miss", "Filled", "Hit", "Miss", "Filled"]);
}

#[tokio::test]
async fn ambiguous_values_bypass_the_cache_and_say_so() {
    let it = Fixture::new(Database::open());
    let sql = "SELECT version FROM t WHERE store_id = ? AND state = ?";
    let params = params! { "StoreId" => "1_State=open", "State" => "x" };
    for _ in 0..2 {
        it.client.query_with_cache(sql, &params, HOUR).await.unwrap();
    }
    assert_eq!((it.database.queries(), it.store.calls().len()), (2, 0));
    assert_eq!(it.events(), ["Bypassed Ambiguous", "Bypassed Ambiguous"]);
    assert_eq!(it.client.read_from_cache(sql, &params).await.unwrap(), None);
}

#[tokio::test]
async fn unnamed_params_are_cached_if_the_client_allows_them() {
    let database = Database::open();
    let client = MrcClient::builder()
        .shared_store(Spy::new())
        .shared_executor(database)
        .allow_unnamed_params(true)
        .build()
        .unwrap();
    client.query_with_cache(SQL, Params::new().with_unnamed(1), HOUR).await.unwrap();
}

#[test]
fn a_client_without_a_cache_is_refused() {
    let error = MrcClient::builder().build().unwrap_err();
    assert!(error.to_string().contains(".redis("), "{error}");
    assert!(MrcClient::builder().shared_store(Spy::new()).jitter(1.5).build().is_err());
    assert!(MrcClient::builder().shared_store(Spy::new()).lease(Duration::ZERO).build().is_err());
}

#[tokio::test]
async fn a_query_without_a_database_is_refused() {
    let client = MrcClient::builder().shared_store(Spy::new()).build().unwrap();
    assert!(matches!(client.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await, Err(Error::NoDatabase)));
}
