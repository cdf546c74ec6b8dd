//! Statements and ids that can't be used.

use std::collections::HashMap;

use mrc_core::{Params, RowError, params};
use mrc_store::{ExecuteError, SqliteExecutor};

use super::super::support::{HOUR, Spy};
use super::table::*;
use crate::{Error, Many, MrcClient};

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
        assert_eq!(shop.table.queries(), [] as [Vec<u64>; 0]);
    }
    let (fewer, _) = outcome(Many::new(SINGLE, "id", "UserId").batch("SELECT id, name FROM users")).await;
    assert!(fewer.unwrap_err().to_string().contains("0 placeholders"));
    assert_eq!(shop.store.calls(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_batch_without_its_column_is_an_error_and_stores_nothing() {
    let single = "SELECT name FROM users WHERE id = ?";
    let (lacking, shop) =
        outcome(Many::new(single, "id", "UserId").batch("SELECT name FROM users WHERE id IN (?)")).await;
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
    assert_eq!(shop.table.queries(), [vec![1, 2], vec![1], vec![1, 2], vec![3, 4]]);
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
    let none: Result<HashMap<u64, User>, Error> =
        shop.client.many_with_cache(users(), std::iter::empty::<u64>(), HOUR).await;
    assert!(none.unwrap().is_empty());
    let refused = async |id: mrc_core::Value| {
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
