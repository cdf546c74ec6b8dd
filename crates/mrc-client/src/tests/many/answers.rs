//! The answers to several ids, and statements and ids that can't be used.

use super::*;

#[tokio::test]
async fn one_statement_reads_the_missing_ids_and_rows_come_by_id() {
    let shop = Shop::open();
    let found = shop.ask(&[3, 1, 2]).await.unwrap();
    assert_eq!(found, HashMap::from([(1, user(1, "Ann")), (2, user(2, "Ben")), (3, user(3, "Cy"))]));
    assert_eq!(shop.table.asked(), [[3, 1, 2]]);
    assert_eq!(shop.ask(&[1, 2, 3, 4, 5]).await.unwrap().len(), 5);
    assert_eq!(shop.table.asked()[1..], [[4, 5]]);
}

#[tokio::test]
async fn hits_are_one_look_and_misses_four_calls() {
    let shop = Shop::open();
    let ids: Vec<u64> = (1..=300).collect();
    shop.ask(&ids).await.unwrap();
    assert_eq!(shop.store.calls(), ["get_many", "claim_many", "fill_many"]);
    assert_eq!(shop.table.asked(), [&ids[..]]);
    shop.ask(&ids).await.unwrap();
    assert_eq!(shop.store.calls()[3..], ["get_many"]);
    assert_eq!(shop.table.asked().len(), 1);
}

#[tokio::test]
async fn an_entry_is_the_one_of_the_single_query() {
    let shop = Shop::open();
    let alone = shop.single(1).await;
    let together = shop.answers(&[1, 2, 9]).await;
    assert_eq!(together[0], shop.single(1).await, "{alone:?}");
    assert_eq!(shop.table.asked()[1..], [[2, 9]]);
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
    assert_eq!(shop.table.asked(), [[1]]);
    assert_eq!(shop.single(1).await.source(), Source::Cache);
}

#[tokio::test]
async fn duplicates_are_asked_for_once_and_a_list_keeps_the_order() {
    let shop = Shop::open();
    let many = users();
    let ids = [3_u64, 9, 1, 3];
    let rows: Vec<Option<User>> = shop.client.many_with_cache(&many, ids, HOUR).await.unwrap();
    assert_eq!(rows, [Some(user(3, "Cy")), None, Some(user(1, "Ann")), Some(user(3, "Cy"))]);
    assert_eq!(shop.table.asked(), [[3, 9, 1]]);
    let rows: Result<Vec<User>, Error> = shop.client.many_with_cache(&many, ids, HOUR).await;
    assert!(rows.unwrap_err().to_string().contains("id 1, counted from 0"));
    let rows: Vec<User> = shop.client.many_with_cache(&many, [3_u64, 1], HOUR).await.unwrap();
    assert_eq!(rows, [user(3, "Cy"), user(1, "Ann")]);
}

#[tokio::test]
async fn the_type_says_how_many_rows_an_id_has() {
    let shop = Shop::open();
    shop.table.users.lock().unwrap().push((1, "Abe".into()));
    let many = users();
    let lists: BTreeMap<u64, Vec<User>> = shop.client.many_with_cache(&many, [1, 2, 9], HOUR).await.unwrap();
    let expect = [(1, vec![user(1, "Abe"), user(1, "Ann")]), (2, vec![user(2, "Ben")]), (9, vec![])];
    assert_eq!(lists, BTreeMap::from(expect));
    let options: BTreeMap<u64, Option<User>> = shop.client.many_with_cache(&many, [2, 9], HOUR).await.unwrap();
    assert_eq!(options, BTreeMap::from([(2, Some(user(2, "Ben"))), (9, None)]));
    let several: Result<HashMap<u64, User>, Error> = shop.client.many_with_cache(&many, [1], HOUR).await;
    assert!(several.unwrap_err().to_string().contains("2 rows"));
    assert_eq!(shop.table.asked().len(), 1, "no read would mend it");
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
    assert_eq!(shop.table.asked(), [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn other_params_stand_before_and_after_the_id() {
    let shop = Shop::open();
    let single = "SELECT id, name FROM users WHERE shop = ? AND id = ? AND state IN (?)";
    let many = Many::new(single, "id", "UserId")
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

async fn outcome(many: Many) -> (Result<HashMap<u64, User>, Error>, Shop) {
    let shop = Shop::open();
    (shop.client.many_with_cache(many, [1, 2], HOUR).await, shop)
}

fn row_error(outcome: Result<HashMap<u64, User>, Error>) -> RowError {
    match outcome {
        Err(Error::Database(error)) => match &*error {
            ExecuteError::Row(error) => error.clone(),
            other => panic!("{other}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_needs_a_statement_that_may_be_cached() {
    let (none, shop) = outcome(Many::new(SINGLE, "id", "UserId")).await;
    assert!(none.unwrap_err().to_string().contains(".batch("));
    for (single, batch) in [(SINGLE, "DELETE FROM users WHERE id IN (?)"), ("DELETE FROM users WHERE id = ?", BATCH)] {
        let (refused, shop) = outcome(Many::new(single, "id", "UserId").batch(batch)).await;
        assert!(matches!(refused, Err(Error::NotCacheable(_))));
        assert_eq!(shop.table.asked(), [] as [Vec<u64>; 0]);
    }
    let (fewer, _) = outcome(Many::new(SINGLE, "id", "UserId").batch("SELECT id, name FROM users")).await;
    assert!(fewer.unwrap_err().to_string().contains("0 placeholders"));
    assert_eq!(shop.store.calls(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_batch_without_its_column_is_an_error_and_stores_nothing() {
    let single = Many::new("SELECT name FROM users WHERE id = ?", "id", "UserId");
    let (lacking, shop) = outcome(single.batch("SELECT name FROM users WHERE id IN (?)")).await;
    assert_eq!(row_error(lacking), RowError::NoSplitColumn { name: "id".into() });
    assert!(!shop.is_cached(1).await && !shop.is_cached(2).await);
}

#[tokio::test]
async fn a_batch_selects_the_columns_of_the_single_query() {
    let other = Many::new(SINGLE, "id", "UserId").batch("SELECT name, id FROM users WHERE id IN (?)");
    let (swapped, shop) = outcome(other.clone()).await;
    let expect = RowError::OtherColumns { single: "id, name".into(), batch: "name, id".into() };
    assert_eq!(row_error(swapped), expect);
    assert!(!shop.is_cached(1).await && !shop.is_cached(2).await);

    // The texts differ, so the query of one id shows its columns, once.
    let same = Many::new(SINGLE, "id", "UserId").batch("SELECT id, name FROM people WHERE id IN (?)");
    for ids in [[1_u64, 2], [3, 4]] {
        let found: HashMap<u64, User> = shop.client.many_with_cache(&same, ids, HOUR).await.unwrap();
        assert_eq!(found.len(), 2);
    }
    assert_eq!(shop.table.asked(), [vec![1, 2], vec![1], vec![1, 2], vec![3, 4]]);
}

#[tokio::test]
async fn a_row_of_an_id_that_was_not_asked_for_is_an_error() {
    let batch = "SELECT id, name FROM users WHERE 1 = 1 OR id IN (?)";
    let (more, shop) = outcome(Many::new(SINGLE, "id", "UserId").batch(batch)).await;
    assert_eq!(row_error(more), RowError::NotAsked { column: "id".into() });
    assert!(!shop.is_cached(1).await && !shop.is_cached(2).await);
}

#[tokio::test]
async fn an_id_that_can_not_tell_rows_apart_is_refused() {
    let shop = Shop::open();
    assert_eq!(shop.ask(&[]).await.unwrap(), HashMap::new());
    let refused = async |id: Value| {
        let error = shop.client.query_many_with_cache(users(), [1.into(), id], HOUR).await.unwrap_err();
        assert!(error.is_callers_fault());
        error.to_string()
    };
    assert!(refused(None::<u8>.into()).await.contains("NULL"));
    assert!(refused(1.5.into()).await.contains("float"));
    assert!(refused(vec![1, 2].into()).await.contains("list"));
    assert_eq!(shop.store.calls(), [] as [&str; 0]);
}

/// Texts under a collation that ignores case.
async fn names(ids: &[&str]) -> Result<Vec<String>, Error> {
    let database = SqliteExecutor::in_memory().unwrap();
    let schema = "CREATE TABLE users (name TEXT COLLATE NOCASE, age INT);
                  INSERT INTO users VALUES ('Ann', 40), ('Ben', 50);";
    database.execute_batch(schema).await.unwrap();
    let client = MrcClient::builder().shared_store(Spy::new()).executor(database).build().unwrap();
    let many = Many::new("SELECT name, age FROM users WHERE name = ?", "name", "Name")
        .batch("SELECT name, age FROM users WHERE name IN (?)");
    let answers = client.query_many_with_cache(&many, ids.iter().copied(), HOUR).await?;
    for (id, answer) in ids.iter().zip(&answers) {
        let alone = client.query("SELECT name, age FROM users WHERE name = ?", params! { "Name" => *id }).await?;
        assert_eq!(answer.as_bytes(), alone.as_bytes(), "{id}");
    }
    answers.iter().map(|answer| Ok(answer.as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn a_text_is_spelled_as_the_database_spells_it() {
    let found = names(&["Ann", "Ben", "Cy"]).await.unwrap();
    assert_eq!(found, [r#"[{"name":"Ann","age":40}]"#, r#"[{"name":"Ben","age":50}]"#, "[]"]);
    assert_eq!(names(&["Cy", "Di"]).await.unwrap(), ["[]", "[]"]);
    for ids in [&["ann", "Ben"][..], &["Ann", "ann"], &["Ann", "ANN", "ann", "x"]] {
        let wrong = names(ids).await.map(drop);
        // One text without a row is asked for by the single query, which finds the row.
        let Err(error) = wrong else { continue };
        assert!(error.to_string().contains("as the database spells it"), "{ids:?}: {error}");
    }
}

#[tokio::test]
async fn params_that_make_no_key_are_refused() {
    let shop = Shop::open();
    let many = Many::new("SELECT id, name FROM users WHERE shop = ? AND id = ?", "id", "UserId")
        .batch("SELECT id, name FROM users WHERE shop = ? AND id IN (?)")
        .params_before(Params::new().with("", 1));
    let refused: Result<HashMap<u64, User>, Error> = shop.client.many_with_cache(many, [1, 2], HOUR).await;
    assert!(matches!(refused, Err(Error::Key(_))));
    assert_eq!(shop.store.calls(), [] as [&str; 0]);
}
