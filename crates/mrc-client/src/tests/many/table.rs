//! A table of users in memory, and a client on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mrc_core::{Cell, Column, ColumnKind, Event, Params, RowEncoder, Value, params};
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, QueryExecutor};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::super::support::{HOUR, Spy, name, until};
use crate::{Answer, Error, Many, MrcClient, MrcClientBuilder};

pub(super) const SINGLE: &str = "SELECT id, name FROM users WHERE id = ?";
pub(super) const BATCH: &str = "SELECT id, name FROM users WHERE id IN (?)";

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
}

pub(super) fn user(id: u64, name: &str) -> User {
    User { id, name: name.into() }
}

pub(super) fn users() -> Many {
    Many::new(SINGLE, "id", "UserId").batch(BATCH)
}

/// Selects the rows whose id is among the values of the param `UserId`.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rows: Mutex<Vec<(u64, String)>>,
    /// The ids of each query.
    queries: Mutex<Vec<Vec<u64>>>,
    /// Each query reads its rows, then takes a permit before it answers.
    pub(super) gate: Semaphore,
    pub(super) fails: Mutex<bool>,
}

impl Table {
    pub(super) fn with_permits(permits: usize) -> Arc<Self> {
        let rows = [(1, "Ann"), (2, "Ben"), (3, "Cy"), (4, "Di"), (5, "Ed")];
        let rows = rows.map(|(id, name)| (id, name.to_owned())).to_vec();
        let gate = Semaphore::new(permits);
        Arc::new(Self { rows: Mutex::new(rows), queries: Mutex::default(), gate, fails: Mutex::new(false) })
    }

    pub(super) fn queries(&self) -> Vec<Vec<u64>> {
        self.queries.lock().unwrap().clone()
    }

    pub(super) fn write(&self, id: u64, name: &str) {
        let mut rows = self.rows.lock().unwrap();
        rows.retain(|(known, _)| *known != id);
        rows.push((id, name.to_owned()));
    }

    /// Waits until this many queries have read their rows.
    pub(super) async fn reads(&self, queries: usize) {
        until(|| self.queries().len() >= queries).await;
    }
}

fn ids(params: &Params) -> Vec<u64> {
    let id = |value: &Value| match value {
        Value::UInt(id) => *id,
        Value::Int(id) => u64::try_from(*id).unwrap(),
        other => panic!("{other:?} is no id"),
    };
    let param = params.iter().find(|param| param.name.as_deref() == Some("UserId")).unwrap();
    match &param.value {
        Value::List(ids) => ids.iter().map(id).collect(),
        one => vec![id(one)],
    }
}

#[async_trait]
impl QueryExecutor for Table {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let found = self.rows.lock().unwrap().clone();
        let asked = ids(params);
        self.queries.lock().unwrap().push(asked.clone());
        self.gate.acquire().await.unwrap().forget();
        if *self.fails.lock().unwrap() {
            return Err(ExecuteError::Timeout { stage: "the query", limit: HOUR, address: None });
        }
        let selected: Vec<&str> = sql["SELECT ".len()..sql.find(" FROM").unwrap()].split(", ").collect();
        let kind = |name: &str| if name == "id" { ColumnKind::Int } else { ColumnKind::Text };
        let columns: Vec<Column> = selected.iter().map(|name| Column::new(*name, kind(name))).collect();
        rows.columns(&columns)?;
        // Backwards, since rows must be told apart by their column alone.
        for (id, name) in found.iter().rev().filter(|(id, _)| asked.contains(id) || sql.contains("1 = 1")) {
            rows.begin_row();
            for column in &selected {
                rows.cell(if *column == "id" { Cell::UInt(*id) } else { Cell::Text(name) })?;
            }
            rows.end_row();
        }
        Ok(())
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.query(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.query(sql, params, rows).await?;
        Ok(Executed::default())
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Err(ExecuteError::Closed)
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        Ok(())
    }

    async fn close(&self) {}
}

#[derive(Clone)]
pub(super) struct Shop {
    pub(super) client: MrcClient,
    pub(super) table: Arc<Table>,
    pub(super) store: Arc<Spy>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    pub(super) fn open() -> Self {
        Self::with(Semaphore::MAX_PERMITS, |builder| builder)
    }

    /// Queries wait until the test adds permits to the table's gate.
    pub(super) fn gated() -> Self {
        Self::with(0, |builder| builder)
    }

    pub(super) fn with(permits: usize, settings: impl FnOnce(MrcClientBuilder) -> MrcClientBuilder) -> Self {
        let (table, store, events) = (Table::with_permits(permits), Spy::new(), Arc::<Mutex<Vec<String>>>::default());
        let heard = Arc::clone(&events);
        let listener = move |event: &Event<'_>| heard.lock().unwrap().push(name(event));
        let builder = MrcClient::builder().shared_store(store.clone()).shared_executor(table.clone());
        let client = settings(builder).on_event(listener).build().unwrap();
        Self { client, table, store, events }
    }

    pub(super) fn key(&self, id: u64) -> String {
        self.client.key(SINGLE, params! { "UserId" => id }).unwrap().into_string()
    }

    pub(super) async fn ask(&self, ids: &[u64]) -> Result<HashMap<u64, User>, Error> {
        self.client.many_with_cache(users(), ids.iter().copied(), HOUR).await
    }

    pub(super) fn spawn(&self, ids: &[u64]) -> tokio::task::JoinHandle<Result<HashMap<u64, User>, Error>> {
        let (shop, ids) = (self.clone(), ids.to_vec());
        tokio::spawn(async move { shop.ask(&ids).await })
    }

    pub(super) async fn answers(&self, ids: &[u64]) -> Vec<Answer> {
        self.client.query_many_with_cache(users(), ids.iter().copied(), HOUR).await.unwrap()
    }

    /// Asks for one id by itself.
    pub(super) async fn single(&self, id: u64) -> Answer {
        self.client.query_with_cache(SINGLE, params! { "UserId" => id }, HOUR).await.unwrap()
    }

    /// Returns how often each event was emitted since the last call, by name.
    pub(super) fn events(&self) -> Vec<(String, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for event in std::mem::take(&mut *self.events.lock().unwrap()) {
            *counts.entry(event).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    pub(super) async fn is_cached(&self, id: u64) -> bool {
        use mrc_store::CacheStore;
        self.store.memory.get(&self.key(id)).await.unwrap().is_some()
    }
}

pub(super) fn counts(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);
