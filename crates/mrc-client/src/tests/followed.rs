//! Entries that a follower keeps right: their tags, and what a call asks for them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mrc_core::{Cell, Column, ColumnKind, Params, RowEncoder, Tag, params};
use mrc_store::{CacheStore, Checkpoints, ExecuteError, Executed, ExecutorTransaction, QueryExecutor, Reached, Token};

use super::support::*;
use crate::{Error, MrcClient, Query};

/// A database that knows what its tables are.
#[derive(Debug)]
struct Shop {
    database: Arc<Database>,
    modes: &'static str,
    engine: Mutex<&'static str>,
    /// The text of the view `v`.
    view: Mutex<&'static str>,
}

fn texts(names: &[&str], values: &[&str], rows: &mut RowEncoder) -> Result<(), ExecuteError> {
    rows.columns(&names.iter().map(|name| Column::new(*name, ColumnKind::Text)).collect::<Vec<_>>())?;
    for row in values.chunks(names.len()) {
        rows.begin_row();
        for value in row {
            rows.cell(Cell::Text(value))?;
        }
        rows.end_row();
    }
    Ok(())
}

#[async_trait]
impl QueryExecutor for Shop {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let name = params.iter().nth(1).map(|param| param.value.clone());
        let (is_view, is_hidden) = (name == Some("v".into()), name == Some("hidden".into()));
        if sql.contains("DATABASE()") {
            texts(&["name"], &["shop"], rows)
        } else if sql.starts_with("SHOW SESSION VARIABLES") {
            texts(&["Variable_name", "Value"], &["sql_mode", self.modes], rows)
        } else if sql.contains("information_schema.TABLES") {
            let engine = *self.engine.lock().unwrap();
            if is_hidden {
                return texts(&["kind", "engine"], &[], rows);
            }
            texts(&["kind", "engine"], &if is_view { ["VIEW", ""] } else { ["BASE TABLE", engine] }, rows)
        } else if sql.contains("information_schema.VIEWS") {
            texts(&["text"], &[*self.view.lock().unwrap()], rows)
        } else {
            self.database.query(sql, params, rows).await
        }
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.query(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.database.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Err(ExecuteError::Closed)
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        Ok(())
    }

    async fn close(&self) {}
}

struct Shopping {
    client: MrcClient,
    shop: Arc<Shop>,
    store: Arc<Spy>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Shopping {
    fn new() -> Self {
        Self::with_modes("STRICT_TRANS_TABLES")
    }

    fn with_modes(modes: &'static str) -> Self {
        let engine = Mutex::new("InnoDB");
        let view = Mutex::new("select `shop`.`t`.`version` AS `version` from `shop`.`t`");
        let shop = Arc::new(Shop { database: Database::open(), modes, engine, view });
        let (store, events) = (Spy::new(), Arc::new(Mutex::new(Vec::new())));
        let heard = Arc::clone(&events);
        let client = MrcClient::builder()
            .shared_store(store.clone())
            .shared_executor(shop.clone())
            .follow("shop")
            .on_event(move |event: &mrc_core::Event<'_>| heard.lock().unwrap().push(name(event)))
            .build()
            .unwrap();
        Self { client, shop, store, events }
    }

    /// Writes a position, as a follower does each second.
    async fn follow(&self) {
        let (owner, to) = (Token::from_bits(1), Reached { by_schemes: true, ..Reached::at("a:1") });
        self.store.memory.lease("shop", &owner, HOUR).await.unwrap();
        let from = self.store.memory.checkpoint("shop").await.unwrap().map(|found| found.position);
        self.store.memory.advance("shop", &owner, from.as_deref(), to).await.unwrap();
    }

    async fn ask(&self, sql: &str) -> u64 {
        version(&self.client.query_with_cache(sql, params! { "Id" => 1 }, HOUR).await.unwrap())
    }

    async fn tags(&self, sql: &str) -> Vec<String> {
        let key = self.client.key(sql, params! { "Id" => 1 }).unwrap();
        let tags = self.store.memory.look(key.as_str()).await.unwrap().unwrap().tags.unwrap();
        tags.iter().map(|(tag, _)| tag.to_string()).collect()
    }

    async fn invalidate(&self, tag: &str) -> u64 {
        self.store.memory.invalidate(&[Tag::new(tag)]).await.unwrap()
    }

    fn heard(&self, event: &str) -> usize {
        self.events.lock().unwrap().iter().filter(|heard| *heard == event).count()
    }
}

#[tokio::test]
async fn an_entry_has_tags_of_the_rows_that_it_depends_on() {
    let it = Shopping::new();
    it.ask(SQL).await;
    assert_eq!(it.tags(SQL).await, ["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
    assert_eq!(it.invalidate("t:shop.t?id=2").await, 0);
    assert_eq!(it.invalidate("t:shop.t?id=1").await, 1);
    it.shop.database.write(2);
    assert_eq!(it.ask(SQL).await, 2);
}

#[tokio::test]
async fn a_scheme_is_registered_before_the_claim_and_not_at_each_call() {
    let it = Shopping::new();
    it.ask(SQL).await;
    assert_eq!(it.store.calls(), ["get", "now", "register", "claim", "now", "fill"]);
    let before = it.store.calls().len();
    it.ask(SQL).await;
    assert_eq!(it.store.calls()[before..], ["get"], "a hit is one GET");
    it.invalidate("t:shop.t?id=1").await;
    it.ask(SQL).await;
    assert_eq!(it.store.calls()[before + 1..], ["get", "claim", "now", "fill"], "a miss asks for no more than tags do");
}

#[tokio::test(start_paused = true)]
async fn entries_live_shortly_while_no_follower_runs() {
    let it = Shopping::new();
    let ttl = async || {
        it.ask(SQL).await;
        let key = it.client.key(SQL, params! { "Id" => 1 }).unwrap();
        let ttl = it.store.memory.ttl(key.as_str()).await.unwrap().unwrap().as_secs();
        it.invalidate("t:shop.t?id=1").await;
        ttl
    };
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 1));
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 1), "one event for each time that it goes");
    it.follow().await;
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    assert!(ttl().await > 3000);
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert_eq!((ttl().await, it.heard("FollowerAway")), (60, 2));
}

#[tokio::test]
async fn a_view_brings_its_tables() {
    let it = Shopping::new();
    let sql = "SELECT version FROM v WHERE id = ?";
    it.ask(sql).await;
    let tags: BTreeSet<String> = it.tags(sql).await.into_iter().collect();
    let expected = ["t:shop.t", "t:shop.t?", "t:shop.v", "t:shop.v?id:int", "t:shop.v?id=1"];
    assert_eq!(tags, expected.map(String::from).into());
}

#[tokio::test]
async fn a_view_that_changes_meanwhile_refuses_the_fill_once() {
    let it = Shopping::new();
    let sql = "SELECT version FROM v WHERE id = ?";
    it.ask(sql).await;
    // A follower that sees the statement ends the table's tag.
    *it.shop.view.lock().unwrap() = "select `shop`.`u`.`version` AS `version` from `shop`.`u`";
    assert_eq!(it.invalidate("t:shop.v").await, 1);
    it.ask(sql).await;
    assert_eq!(it.heard("Refused"), 1, "the tables that are known are older than the change");
    it.ask(sql).await;
    assert!(it.tags(sql).await.contains(&"t:shop.u".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_followed_is_told_once_and_ends_by_its_ttl() {
    let it = Shopping::new();
    *it.shop.engine.lock().unwrap() = "FEDERATED";
    for _ in 0..2 {
        it.ask(SQL).await;
        let key = it.client.key(SQL, params! { "Id" => 1 }).unwrap();
        it.store.memory.remove(&[key.into_string().into()]).await.unwrap();
    }
    assert_eq!(it.heard("NotFollowed"), 1);
    it.ask(SQL).await;
    assert!(it.tags(SQL).await.is_empty());

    let it = Shopping::with_modes("ANSI_QUOTES,STRICT_TRANS_TABLES");
    it.ask(SQL).await;
    assert_eq!((it.heard("NotFollowed"), it.tags(SQL).await.len()), (1, 0), "a text means something else");
}

#[tokio::test]
async fn a_name_that_is_no_table_is_followed_and_a_views_hidden_table_is_not() {
    let it = Shopping::new();
    let sql = "SELECT version FROM hidden WHERE id = ?";
    it.ask(sql).await;
    assert_eq!(it.tags(sql).await, ["t:shop.hidden", "t:shop.hidden?id:int", "t:shop.hidden?id=1"]);
    *it.shop.view.lock().unwrap() = "select `shop`.`hidden`.`version` AS `version` from `shop`.`hidden`";
    let sql = "SELECT version FROM v WHERE id = ?";
    it.ask(sql).await;
    assert_eq!((it.heard("NotFollowed"), it.tags(sql).await.len()), (1, 0));
}

#[tokio::test]
async fn a_cte_has_no_tags_and_may_stand_in_a_view() {
    let it = Shopping::new();
    let sql = "WITH hidden AS (SELECT version FROM t WHERE id = ?) SELECT version FROM hidden";
    it.ask(sql).await;
    assert_eq!(it.tags(sql).await, ["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
    *it.shop.view.lock().unwrap() = "with `hidden` as (select `shop`.`t`.`version` AS `version` from `shop`.`t`) \
                                     select `hidden`.`version` AS `version` from `hidden`";
    let sql = "SELECT version FROM v WHERE id = ?";
    it.ask(sql).await;
    let expected = ["t:shop.t", "t:shop.t?", "t:shop.v", "t:shop.v?id:int", "t:shop.v?id=1"];
    assert_eq!(it.tags(sql).await, expected);
}

#[tokio::test]
async fn the_follower_knows_the_tables_before_the_database_is_asked_for_them() {
    let it = Shopping::new();
    *it.shop.engine.lock().unwrap() = "FEDERATED";
    it.ask(SQL).await;
    let registry = it.store.memory.as_schemes().unwrap().registry(None).await.unwrap().unwrap();
    assert_eq!(registry.schemes.iter().map(|scheme| &*scheme.text).collect::<Vec<_>>(), ["t:shop.t?id:int"]);
}

#[tokio::test]
async fn a_function_inherits_what_its_queries_depend_on() {
    let it = Shopping::new();
    let report = || async { Ok::<_, Error>(it.ask(SQL).await) };
    let run = async || {
        it.client.with_cache(report, Query::new("report"), Params::new(), HOUR).await.unwrap();
        let key = it.client.key("report", Params::new()).unwrap();
        let found = it.store.memory.look(key.as_str()).await.unwrap();
        found.map(|found| found.tags.unwrap().iter().map(|(tag, _)| tag.to_string()).collect::<Vec<_>>())
    };
    // The function claims its key before its query is known: the scheme is younger than the claim.
    assert_eq!(run().await, None);
    assert_eq!(run().await.unwrap(), ["Id=1", "t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
}

#[tokio::test]
async fn without_its_registration_nothing_is_stored() {
    let it = Shopping::new();
    *it.store.failing.lock().unwrap() = Some("register");
    assert_eq!(it.ask(SQL).await, 1);
    assert_eq!(it.ask(SQL).await, 1);
    assert_eq!(it.shop.database.queries.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_written_entry_has_the_tags_too() {
    let it = Shopping::new();
    assert!(it.client.write_to_cache(SQL, &[1], params! { "Id" => 1 }, HOUR).await.unwrap());
    assert_eq!(it.tags(SQL).await, ["t:shop.t", "t:shop.t?id:int", "t:shop.t?id=1"]);
    assert!(it.client.write_to_cache("a signature", &[1], Params::new(), HOUR).await.unwrap());
    assert_eq!(it.heard("NotFollowed"), 0);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let check = |builder: crate::MrcClientBuilder, expected: &str| {
        let error = builder.shared_store(Spy::new()).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(MrcClient::builder().follow("shop"), "`.mysql(…)`");
    let shop = || MrcClient::builder().shared_executor(Database::open());
    check(shop().follow(""), "name");
    check(shop().follow("shop").follow_ttl(std::time::Duration::ZERO), "follow_ttl");
}
