//! Implements a backend: a database that counts its queries. A listener prints every event.
//!
//! `cargo run -p mrc --features memory,sqlite --example own_backend`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mrc::errors::ExecuteError;
use mrc::rows::RowEncoder;
use mrc::store::{Executed, ExecutorTransaction, QueryExecutor};
use mrc::{Event, MemoryStore, MrcClient, Params, SqliteExecutor, params};

#[derive(Debug)]
struct Counted<E> {
    inner: E,
    queries: AtomicU32,
}

#[async_trait::async_trait]
impl<E: QueryExecutor> QueryExecutor for Counted<E> {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.inner.query(sql, params, rows).await
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.inner.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.inner.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        self.inner.begin().await
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.inner.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Arc::new(Counted { inner: SqliteExecutor::in_memory()?, queries: AtomicU32::new(0) });
    let client = MrcClient::builder()
        .store(MemoryStore::new())
        .shared_executor(database.clone())
        .on_event(|event: &Event<'_>| println!("  {event:?}"))
        .build()?;

    for _ in 0..3 {
        let answer = client.query_with_cache("SELECT ? + 1 AS n", params! { "N" => 41 }, 60).await?;
        println!("{}", answer.as_str()?);
    }
    println!("{} query reached the database", database.queries.load(Ordering::Relaxed));
    Ok(())
}
