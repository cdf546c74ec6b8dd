//! The answers to several ids.

use std::collections::{BTreeMap, HashMap};

use mrc_core::params;

use super::super::support::HOUR;
use super::table::*;
use crate::{Error, Source};

#[tokio::test]
async fn one_statement_reads_the_missing_ids_and_rows_come_by_id() {
    let shop = Shop::open();
    let found = shop.ask(&[3, 1, 2]).await.unwrap();
    assert_eq!(found, HashMap::from([(1, user(1, "Ann")), (2, user(2, "Ben")), (3, user(3, "Cy"))]));
    assert_eq!(shop.table.queries(), [[3, 1, 2]]);
    assert_eq!(shop.ask(&[1, 2, 3, 4, 5]).await.unwrap().len(), 5);
    assert_eq!(shop.table.queries()[1..], [[4, 5]]);
}

#[tokio::test]
async fn hits_are_one_look_and_misses_four_calls() {
    let shop = Shop::open();
    let ids: Vec<u64> = (1..=300).collect();
    shop.ask(&ids).await.unwrap();
    assert_eq!(shop.store.calls(), ["get_many", "claim_many", "fill_many"]);
    assert_eq!(shop.table.queries(), [&ids[..]]);
    shop.ask(&ids).await.unwrap();
    assert_eq!(shop.store.calls()[3..], ["get_many"]);
    assert_eq!(shop.table.queries().len(), 1);
}

#[tokio::test]
async fn an_entry_is_the_one_of_the_single_query() {
    let shop = Shop::open();
    let alone = shop.single(1).await;
    let together = shop.answers(&[1, 2, 9]).await;
    assert_eq!(together[0], shop.single(1).await, "{alone:?}");
    assert_eq!(shop.table.queries()[1..], [[2, 9]]);
    for (id, answer) in [(2, &together[1]), (9, &together[2])] {
        let hit = shop.single(id).await;
        assert_eq!((hit.as_bytes(), hit.source()), (answer.as_bytes(), Source::Cache));
    }
    assert_eq!(together[1].as_bytes(), br#"[{"id":2,"name":"Ben"}]"#);
    assert_eq!(together[2].as_bytes(), b"[]", "an id without rows is an entry too");
}

#[tokio::test]
async fn one_missing_id_runs_the_single_query() {
    let shop = Shop::open();
    shop.ask(&[1]).await.unwrap();
    assert_eq!(shop.table.queries(), [[1]]);
    assert_eq!(shop.single(1).await.source(), Source::Cache);
}

#[tokio::test]
async fn duplicates_are_asked_for_once_and_a_list_keeps_the_order() {
    let shop = Shop::open();
    let many = users();
    let ids = [3_u64, 9, 1, 3];
    let rows: Vec<Option<User>> = shop.client.many_with_cache(&many, ids, HOUR).await.unwrap();
    assert_eq!(rows, [Some(user(3, "Cy")), None, Some(user(1, "Ann")), Some(user(3, "Cy"))]);
    assert_eq!(shop.table.queries(), [[3, 9, 1]]);
    let rows: Result<Vec<User>, Error> = shop.client.many_with_cache(&many, ids, HOUR).await;
    assert!(rows.unwrap_err().to_string().contains("id 1, counted from 0"));
    let rows: Vec<User> = shop.client.many_with_cache(&many, [3_u64, 1], HOUR).await.unwrap();
    assert_eq!(rows, [user(3, "Cy"), user(1, "Ann")]);
}

#[tokio::test]
async fn the_type_says_how_many_rows_an_id_has() {
    let shop = Shop::open();
    shop.table.rows.lock().unwrap().push((1, "Abe".into()));
    let many = users();
    let lists: BTreeMap<u64, Vec<User>> = shop.client.many_with_cache(&many, [1, 2, 9], HOUR).await.unwrap();
    let expect = [(1, vec![user(1, "Abe"), user(1, "Ann")]), (2, vec![user(2, "Ben")]), (9, vec![])];
    assert_eq!(lists, BTreeMap::from(expect));
    let options: BTreeMap<u64, Option<User>> = shop.client.many_with_cache(&many, [2, 9], HOUR).await.unwrap();
    assert_eq!(options, BTreeMap::from([(2, Some(user(2, "Ben"))), (9, None)]));
    let several: Result<HashMap<u64, User>, Error> = shop.client.many_with_cache(&many, [1], HOUR).await;
    assert!(several.unwrap_err().to_string().contains("2 rows"));
    assert_eq!(shop.table.queries().len(), 1, "no read would mend it");
}

#[tokio::test]
async fn no_ids_run_nothing() {
    let shop = Shop::open();
    assert_eq!(shop.ask(&[]).await.unwrap(), HashMap::new());
    assert_eq!(shop.store.calls(), [] as [&str; 0]);
}

#[tokio::test]
async fn more_ids_than_the_bound_are_read_by_several_statements_at_once() {
    let shop = Shop::gated();
    let many = users().at_most(2);
    let client = shop.client.clone();
    let asked = tokio::spawn(async move { client.many_with_cache(&many, [1_u64, 2, 3, 4, 5], HOUR).await });
    shop.table.reads(3).await;
    shop.table.gate.add_permits(3);
    let found: HashMap<u64, User> = asked.await.unwrap().unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(shop.table.queries(), [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn other_params_stand_before_and_after_the_id() {
    let shop = Shop::open();
    let single = "SELECT id, name FROM users WHERE shop = ? AND id = ? AND state IN (?)";
    let many = crate::Many::new(single, "id", "UserId")
        .batch("SELECT id, name FROM users WHERE shop = ? AND id IN (?) AND state IN (?)")
        .params_before(params! { "Shop" => 6 })
        .params_after(params! { "States" => ["open", "paid"] });
    let found: HashMap<u64, User> = shop.client.many_with_cache(&many, [1, 2], HOUR).await.unwrap();
    assert_eq!(found.len(), 2);
    let params = params! { "Shop" => 6, "UserId" => 2, "States" => ["open", "paid"] };
    assert!(shop.client.query_with_cache(single, params, HOUR).await.unwrap().is_hit());
}

#[tokio::test]
async fn a_value_of_another_type_stays_and_one_that_is_none_is_overwritten() {
    let shop = Shop::open();
    let params = |id: u64| params! { "UserId" => id };
    shop.client.write_to_cache(SINGLE, &[[true]], params(1), HOUR).await.unwrap();
    use mrc_store::CacheStore;
    shop.store.memory.put(&shop.key(2), "[{\"id\":2".into(), HOUR).await.unwrap();
    shop.store.memory.put(&shop.key(3), "[torn]".into(), HOUR).await.unwrap();
    let found = shop.ask(&[1, 2, 3, 4]).await.unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(found[&1], user(1, "Ann"));
    let read = async |id| shop.client.read_from_cache(SINGLE, params(id)).await.unwrap().unwrap();
    assert_eq!(read(1).await.as_bytes(), b"[[true]]");
    assert_eq!(read(2).await.as_bytes(), br#"[{"id":2,"name":"Ben"}]"#);
    assert_eq!(read(3).await.as_bytes(), br#"[{"id":3,"name":"Cy"}]"#);
}
