//! Transactions, and the invalidations after them, on SQLite.

use super::*;

const COUNT: &str = "SELECT COUNT(*) AS version FROM t";
const INSERT: &str = "INSERT INTO t VALUES (?)";

/// Commits that a test delays or loses.
#[derive(Debug)]
struct Commits {
    begun: AtomicBool,
    permits: Semaphore,
    loses: bool,
}

#[derive(Debug)]
struct Wire {
    sqlite: SqliteExecutor,
    commits: Arc<Commits>,
}

#[derive(Debug)]
struct Held {
    inner: Box<dyn ExecutorTransaction>,
    commits: Arc<Commits>,
}

#[async_trait]
impl QueryExecutor for Wire {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.sqlite.query(sql, params, rows).await
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.sqlite.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.sqlite.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(Held { inner: self.sqlite.begin().await?, commits: Arc::clone(&self.commits) }))
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.sqlite.ping().await
    }

    async fn close(&self) {
        self.sqlite.close().await;
    }
}

#[async_trait]
impl ExecutorTransaction for Held {
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.inner.execute(sql, params, rows).await
    }

    async fn commit(self: Box<Self>) -> Result<(), ExecuteError> {
        self.commits.begun.store(true, Ordering::SeqCst);
        self.commits.permits.acquire().await.unwrap().forget();
        let Self { inner, commits } = *self;
        inner.commit().await?;
        if commits.loses { Err(ExecuteError::CommitUnknown("the wire is cut".into())) } else { Ok(()) }
    }

    async fn rollback(self: Box<Self>) -> Result<(), ExecuteError> {
        self.inner.rollback().await
    }
}

struct Table {
    client: MrcClient,
    store: Arc<Spy>,
    commits: Arc<Commits>,
}

impl Table {
    async fn new() -> Self {
        Self::with(Semaphore::MAX_PERMITS, false).await
    }

    async fn with(permits: usize, loses: bool) -> Self {
        let sqlite = SqliteExecutor::in_memory().unwrap();
        sqlite.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").await.unwrap();
        let commits = Commits { begun: AtomicBool::new(false), permits: Semaphore::new(permits), loses };
        let (store, commits) = (Spy::new(), Arc::new(commits));
        let client = MrcClient::builder()
            .shared_store(store.clone())
            .executor(Wire { sqlite, commits: commits.clone() })
            .invalidation_deadline(Duration::ZERO)
            .build()
            .unwrap();
        let table = Self { client, store, commits };
        assert_eq!(table.cached().await, 0);
        table
    }

    async fn ask(&self) -> Answer {
        self.client.query_with_cache(Query::new(COUNT).tag("t"), params! {}, HOUR).await.unwrap()
    }

    async fn cached(&self) -> u64 {
        version(&self.ask().await)
    }

    async fn stored(&self) -> u64 {
        version(&self.client.query(COUNT, params! {}).await.unwrap())
    }

    /// Inserts a row and names the tag, in a task that a test may abort.
    fn insert(&self) -> tokio::task::JoinHandle<Result<Executed, Error>> {
        let client = self.client.clone();
        tokio::spawn(async move {
            client
                .transaction(async |tx| {
                    tx.invalidate(["t"]);
                    tx.execute(INSERT, params! { "Id" => 7 }).await
                })
                .await
        })
    }
}

#[tokio::test]
async fn a_transaction_is_committed_and_then_invalidates() {
    let it = Table::new().await;
    let work = async |tx: &mut Transaction| {
        let written = tx.execute("INSERT INTO t VALUES (7), (8)", params! {}).await?;
        tx.invalidate(["t"]);
        assert!(!it.store.calls().contains(&"invalidate"), "nothing goes before the commit");
        Ok::<_, anyhow::Error>((written, version(&tx.query(COUNT, params! {}).await?)))
    };
    let (written, seen) = it.client.transaction(work).await.unwrap();
    assert_eq!((written.affected_rows, written.last_insert_id), (2, Some(8)));
    assert_eq!((seen, it.cached().await), (2, 2));
}

#[tokio::test]
async fn a_drop_by_params_runs_after_the_commit_too() {
    let it = Table::new().await;
    let sql = "SELECT COUNT(*) AS version FROM t WHERE id > ?";
    let ask = async || version(&it.client.query_with_cache(sql, params! { "Above" => 5 }, HOUR).await.unwrap());
    assert_eq!(ask().await, 0);
    let work = async |tx: &mut Transaction| {
        tx.drop_outdated_cache(params! { "Above" => 5 });
        tx.execute(INSERT, params! { "Id" => 7 }).await
    };
    it.client.transaction(work).await.unwrap();
    assert_eq!(ask().await, 1);
    assert_eq!(it.client.drop_outdated_cache(params! { "Above" => 5 }).await.unwrap(), 1);
    assert_eq!(it.client.invalidate(["t"]).await.unwrap(), 1);
}

#[tokio::test]
async fn an_error_of_the_function_rolls_back_and_invalidates_nothing() {
    let it = Table::new().await;
    let work = async |tx: &mut Transaction| {
        tx.execute(INSERT, params! { "Id" => 7 }).await?;
        tx.invalidate(["t"]);
        anyhow::bail!("the stock is empty");
        #[expect(unreachable_code, reason = "it names the type")]
        Ok(())
    };
    let error = it.client.transaction(work).await.unwrap_err();
    assert_eq!(error.to_string(), "the stock is empty");
    assert_eq!(it.stored().await, 0);
    assert!(it.ask().await.is_hit());
}

#[tokio::test]
async fn a_panic_rolls_back() {
    let it = Table::new().await;
    let client = it.client.clone();
    let panicked = tokio::spawn(async move {
        client
            .transaction(async |tx| {
                tx.execute(INSERT, params! { "Id" => 7 }).await?;
                assert!(tx.execute("SELECT 1", params! {}).await.is_err(), "this is the panic");
                Ok::<_, Error>(())
            })
            .await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(it.stored().await, 0);
}

#[tokio::test]
async fn a_cancelled_caller_rolls_back() {
    let it = Table::new().await;
    let (client, inserted) = (it.client.clone(), Arc::new(Semaphore::new(0)));
    let done = inserted.clone();
    let task = tokio::spawn(async move {
        client
            .transaction(async |tx| {
                tx.execute(INSERT, params! { "Id" => 7 }).await?;
                done.add_permits(1);
                pending::<Result<(), Error>>().await
            })
            .await
    });
    let _inserted = inserted.acquire().await.unwrap();
    task.abort();
    assert_eq!(it.stored().await, 0);
}

#[tokio::test]
async fn a_caller_cancelled_after_the_commit_does_not_stop_the_invalidation() {
    let it = Table::with(0, false).await;
    let task = it.insert();
    until(|| it.commits.begun.load(Ordering::SeqCst)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    it.commits.permits.add_permits(1);
    until(|| it.store.calls().contains(&"invalidate")).await;
    assert_eq!((it.stored().await, it.cached().await), (1, 1));
}

#[tokio::test]
async fn a_deadline_rolls_back() {
    let it = Table::new().await;
    let client = it.client.with_deadline(Duration::from_millis(50));
    let work = async |tx: &mut Transaction| {
        tx.execute(INSERT, params! { "Id" => 7 }).await?;
        pending::<Result<(), Error>>().await
    };
    let error = client.transaction(work).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
    assert_eq!(it.stored().await, 0);
}

#[tokio::test]
async fn failed_invalidations_are_reported_and_can_be_retried() {
    let it = Table::new().await;
    *it.store.failing.lock().unwrap() = Some("invalidate");
    let error = it.insert().await.unwrap().unwrap_err();
    let Error::NotInvalidated { pending, .. } = &error else { panic!("{error}") };
    let reported = "the transaction is committed, but the entries of 1 tags couldn't";
    assert!(error.to_string().starts_with(reported), "{error}");
    assert!(!error.is_retryable() && !format!("{error:?}").contains("\"t\""), "{error:?}");
    assert_eq!((it.stored().await, it.cached().await), (1, 0), "it is committed, and the old entry is still there");
    assert!(matches!(pending.retry(&it.client).await, Err(Error::NotInvalidated { .. })));
    *it.store.failing.lock().unwrap() = None;
    assert_eq!(pending.retry(&it.client).await.unwrap(), 1);
    assert_eq!(it.cached().await, 1);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_invalidates_all_the_same() {
    let it = Table::with(Semaphore::MAX_PERMITS, true).await;
    let error = it.insert().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::CommitUnknown { pending, .. } if pending.is_empty()), "{error}");
    assert!(!error.is_retryable() && error.to_string().contains("may be committed or not"), "{error}");
    assert_eq!(it.cached().await, 1);
}

#[tokio::test]
async fn a_commit_that_never_ends_does_not_keep_its_caller() {
    let mut it = Table::with(0, false).await;
    it.client = it.client.with_deadline(Duration::from_secs(1));
    let error = it.insert().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::CommitUnknown { pending, .. } if !pending.is_empty()), "{error}");
}

#[tokio::test]
async fn an_invalidation_that_can_not_be_used_rolls_back() {
    let it = Table::new().await;
    let insert = async |select: Option<Select>| {
        let work = async |tx: &mut Transaction| {
            match select {
                Some(select) => tx.invalidate(select),
                None => tx.drop_outdated_cache(Params::new()),
            }
            tx.execute(INSERT, params! { "Id" => 7 }).await
        };
        it.client.transaction(work).await.unwrap_err()
    };
    for bad in [Select::any([""; 0]), Tag::new("").into()] {
        assert!(matches!(insert(Some(bad)).await, Error::Tag(_)));
    }
    assert!(matches!(insert(None).await, Error::Drop(_)));
    assert_eq!(it.stored().await, 0);
}

#[tokio::test]
async fn a_statement_that_commits_is_an_error_and_invalidates_all_the_same() {
    for swallowed in [true, false] {
        let it = Table::new().await;
        let work = async |tx: &mut Transaction| {
            tx.execute(INSERT, params! { "Id" => 7 }).await?;
            tx.invalidate(["t"]);
            let committed = tx.execute("COMMIT", params! {}).await;
            let after = tx.execute(INSERT, params! { "Id" => 8 }).await;
            assert!(matches!(after, Err(Error::Database(_))), "nothing runs after the end");
            if swallowed { Ok(Executed::default()) } else { committed }
        };
        let error = it.client.transaction(work).await.unwrap_err();
        assert!(!error.is_retryable() && error.to_string().contains("the transaction is over"), "{error}");
        until(|| it.store.calls().contains(&"invalidate")).await;
        assert_eq!((it.stored().await, it.cached().await), (1, 1));
    }
}

/// A `CREATE TABLE` that fails or whose answer is lost has committed what ran before it.
#[tokio::test]
async fn a_failure_that_may_have_committed_invalidates() {
    let mut it = Table::new().await;
    it.client = MrcClient::builder().shared_store(it.store.clone()).executor(Lost).build().unwrap();
    let work = async |tx: &mut Transaction| {
        tx.invalidate(["t"]);
        tx.execute("CREATE TABLE u (id INT)", params! {}).await.map(drop)
    };
    let error = it.client.transaction(work).await.unwrap_err();
    assert!(error.is_retryable(), "the caller gets the statement's own error: {error}");
    until(|| it.store.calls().contains(&"invalidate")).await;
}

/// A database whose statements are lost, with their connection.
#[derive(Debug)]
struct Lost;

#[async_trait]
impl QueryExecutor for Lost {
    async fn query(&self, _: &str, _: &Params, _: &mut RowEncoder) -> Result<(), ExecuteError> {
        Err(ExecuteError::Unavailable("lost".into()))
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.query(sql, params, rows).await
    }

    async fn execute(&self, _: &str, _: &Params, _: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        Err(ExecuteError::Unavailable("lost".into()))
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(Self))
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        Ok(())
    }

    async fn close(&self) {}
}

#[async_trait]
impl ExecutorTransaction for Lost {
    async fn execute(&mut self, _: &str, _: &Params, _: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        Err(ExecuteError::Unavailable("lost".into()))
    }

    async fn commit(self: Box<Self>) -> Result<(), ExecuteError> {
        Err(ExecuteError::TransactionOver)
    }

    async fn rollback(self: Box<Self>) -> Result<(), ExecuteError> {
        Err(ExecuteError::TransactionOver)
    }
}

#[tokio::test]
async fn an_outbox_gets_the_tags_with_the_write() {
    let sqlite = SqliteExecutor::in_memory().unwrap();
    let tables = "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE mrc_outbox (tag TEXT NOT NULL)";
    sqlite.execute_batch(tables).await.unwrap();
    let builder = MrcClient::builder().shared_store(Spy::new()).executor(sqlite);
    let client = builder.outbox("main.mrc_outbox").build().unwrap();
    let rows = async || {
        let sql = "SELECT tag FROM mrc_outbox ORDER BY tag";
        let rows: Vec<HashMap<String, String>> = client.query(sql, params! {}).await.unwrap().rows().unwrap();
        rows.into_iter().filter_map(|mut row| row.remove("tag")).collect::<Vec<_>>()
    };
    let work = async |tx: &mut Transaction| {
        tx.invalidate(["t", "u"]);
        tx.drop_outdated_cache(params! { "StoreId" => 6 });
        tx.execute(INSERT, params! { "Id" => 7 }).await
    };
    client.transaction(work).await.unwrap();
    assert_eq!(rows().await, ["StoreId=6", "t", "u"]);
    let work = async |tx: &mut Transaction| {
        tx.invalidate(["v"]);
        tx.execute(INSERT, params! { "Id" => 7 }).await.map(drop)
    };
    let failed: Result<(), Error> = client.transaction(work).await;
    assert!(failed.unwrap_err().to_string().contains("UNIQUE"), "the row is there already");
    assert_eq!(rows().await.len(), 3, "nothing of a transaction that was rolled back");
}
