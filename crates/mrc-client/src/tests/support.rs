use super::*;

pub(super) const SQL: &str = "SELECT version FROM t WHERE id = ?";
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// A database that a test controls: a table of one version, a table of users, and a catalogue.
#[derive(Debug)]
pub(super) struct Database {
    version: AtomicU64,
    pub(super) users: Mutex<Vec<(u64, String)>>,
    /// The ids of each query: the values of its param `UserId`.
    asked: Mutex<Vec<Vec<u64>>>,
    /// Each query reads its rows, then takes a permit before it answers.
    pub(super) gate: Semaphore,
    pub(super) fails: Mutex<bool>,
    pub(super) modes: Mutex<&'static str>,
    pub(super) engine: Mutex<&'static str>,
    /// The text of the view `v`.
    pub(super) view: Mutex<&'static str>,
}

impl Database {
    pub(super) fn open() -> Arc<Self> {
        Self::with_permits(Semaphore::MAX_PERMITS)
    }

    /// Queries wait until the test adds permits to the gate.
    pub(super) fn gated() -> Arc<Self> {
        Self::with_permits(0)
    }

    pub(super) fn with_permits(permits: usize) -> Arc<Self> {
        let users = [(1, "Ann"), (2, "Ben"), (3, "Cy"), (4, "Di"), (5, "Ed")];
        Arc::new(Self {
            version: 1.into(),
            users: Mutex::new(users.map(|(id, name)| (id, name.to_owned())).to_vec()),
            asked: Mutex::default(),
            gate: Semaphore::new(permits),
            fails: Mutex::new(false),
            modes: Mutex::new("STRICT_TRANS_TABLES"),
            engine: Mutex::new("InnoDB"),
            view: Mutex::new("select `shop`.`t`.`version` AS `version` from `shop`.`t`"),
        })
    }

    pub(super) fn queries(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(super) fn asked(&self) -> Vec<Vec<u64>> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn write(&self, version: u64) {
        self.version.store(version, Ordering::SeqCst);
    }

    pub(super) fn write_user(&self, id: u64, name: &str) {
        let mut users = self.users.lock().unwrap();
        users.retain(|(known, _)| *known != id);
        users.push((id, name.to_owned()));
    }

    /// Waits until this many queries have read their rows.
    pub(super) async fn reads(&self, queries: usize) {
        until(|| self.queries() >= queries).await;
    }
}

pub(super) fn answer<'a>(
    rows: &mut RowEncoder,
    columns: &[Column],
    cells: impl IntoIterator<Item = Cell<'a>>,
) -> Result<(), ExecuteError> {
    rows.columns(columns)?;
    for (at, cell) in cells.into_iter().enumerate() {
        if at % columns.len() == 0 {
            rows.begin_row();
        }
        rows.cell(cell)?;
        if (at + 1) % columns.len() == 0 {
            rows.end_row();
        }
    }
    Ok(())
}

/// Returns the values of the param `UserId`.
fn ids(params: &Params) -> Option<Vec<u64>> {
    let id = |value: &Value| match value {
        Value::UInt(id) => *id,
        Value::Int(id) => u64::try_from(*id).unwrap(),
        other => panic!("{other:?} is no id"),
    };
    match &params.iter().find(|param| param.name.as_deref() == Some("UserId"))?.value {
        Value::List(ids) => Some(ids.iter().map(id).collect()),
        one => Some(vec![id(one)]),
    }
}

#[async_trait]
impl QueryExecutor for Database {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        if let Some(answered) = self.catalogue(sql, params, rows) {
            return answered;
        }
        let (version, users) = (self.version.load(Ordering::SeqCst), self.users.lock().unwrap().clone());
        let asked = ids(params);
        self.asked.lock().unwrap().push(asked.clone().unwrap_or_default());
        self.gate.acquire().await.unwrap().forget();
        if *self.fails.lock().unwrap() {
            return Err(ExecuteError::Timeout { stage: "the query", limit: HOUR, address: None });
        }
        let Some(asked) = asked else {
            return answer(rows, &[Column::new("version", ColumnKind::Int)], [Cell::UInt(version)]);
        };
        let selected: Vec<&str> = sql["SELECT ".len()..sql.find(" FROM").unwrap()].split(", ").collect();
        let kind = |name: &str| if name == "id" { ColumnKind::Int } else { ColumnKind::Text };
        let columns: Vec<Column> = selected.iter().map(|name| Column::new(*name, kind(name))).collect();
        let cell = |column: &str, id: u64, name| if column == "id" { Cell::UInt(id) } else { Cell::Text(name) };
        // Backwards, since rows must be told apart by their column alone.
        let found = users.iter().rev().filter(|(id, _)| asked.contains(id) || sql.contains("1 = 1"));
        answer(rows, &columns, found.flat_map(|(id, name)| selected.iter().map(move |column| cell(column, *id, name))))
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
        if *self.fails.lock().unwrap() { Err(ExecuteError::Closed) } else { Ok(()) }
    }

    async fn close(&self) {}
}

pub(super) async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// A store that counts its calls, can fail, and can hold back the reply to a fill.
#[derive(Debug)]
pub(super) struct Spy {
    pub(super) memory: MemoryStore,
    pub(super) calls: Mutex<Vec<&'static str>>,
    pub(super) failing: Mutex<Option<&'static str>>,
    pub(super) filled: Semaphore,
    pub(super) fill_replies: Semaphore,
    /// An entry that a `look` still finds, as if its removal were under way.
    pub(super) ghost: Mutex<Option<(String, Found)>>,
    /// A copy that another process left under every key.
    pub(super) copy: Mutex<Option<Found>>,
}

impl Spy {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStore::new(),
            calls: Mutex::default(),
            failing: Mutex::default(),
            filled: Semaphore::new(0),
            fill_replies: Semaphore::new(Semaphore::MAX_PERMITS),
            ghost: Mutex::default(),
            copy: Mutex::default(),
        })
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    fn call(&self, name: &'static str) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push(name);
        let failing = *self.failing.lock().unwrap();
        if failing.is_some_and(|failing| failing == name || failing == "all") {
            Err(StoreError::Timeout(HOUR))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl CacheStore for Spy {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.call("get")?;
        if *self.failing.lock().unwrap() == Some("standing still") {
            pending::<()>().await;
        }
        self.memory.get(key).await
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.call("look")?;
        let ghost = self.ghost.lock().unwrap().clone();
        match ghost {
            Some((name, found)) if name == key => Ok(Some(found)),
            _ => self.memory.look(key).await,
        }
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        self.call("stale")?;
        let copy = self.copy.lock().unwrap().clone();
        if copy.is_some() { Ok(copy) } else { self.memory.stale(key).await }
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.call("now")?;
        self.memory.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        self.call("claim")?;
        self.memory.claim(key, token, terms).await
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        self.call("fill")?;
        let filled = self.memory.fill(key, token, value, life).await;
        self.filled.add_permits(1);
        self.fill_replies.acquire().await.unwrap().forget();
        filled
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.call("release")?;
        self.memory.release(key, token).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.call("put")?;
        self.memory.put(key, value, ttl).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        self.memory.ttl(key).await
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        self.call("remove")?;
        self.memory.remove(keys).await
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        self.call("invalidate")?;
        self.memory.invalidate(tags).await
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        self.memory.as_checkpoints()
    }

    fn as_schemes(&self) -> Option<&dyn Schemes> {
        Some(self)
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        match self.call("get_many") {
            Ok(()) => self.memory.get_many(keys).await,
            Err(_) => keys.iter().map(|_| Err(StoreError::Timeout(HOUR))).collect(),
        }
    }

    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        match self.call("claim_many") {
            Ok(()) => self.memory.claim_many(claims).await,
            Err(_) => claims.iter().map(|_| Err(StoreError::Timeout(HOUR))).collect(),
        }
    }

    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        match self.call("fill_many") {
            Ok(()) => self.memory.fill_many(fills).await,
            Err(_) => fills.iter().map(|_| Err(StoreError::Timeout(HOUR))).collect(),
        }
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        self.memory.scan(pattern)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping")
    }

    async fn close(&self) {}
}

#[async_trait]
impl Schemes for Spy {
    async fn register(&self, schemes: &[SchemeName]) -> Result<Vec<SchemeName>, StoreError> {
        self.call("register")?;
        self.memory.register(schemes).await
    }

    async fn registry(&self, known: Option<Moment>) -> Result<Option<Registry>, StoreError> {
        self.memory.registry(known).await
    }
}

pub(super) struct Fixture {
    pub(super) client: MrcClient,
    pub(super) database: Arc<Database>,
    pub(super) store: Arc<Spy>,
    pub(super) events: Arc<Mutex<Vec<String>>>,
}

impl Fixture {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self::with(database, Spy::new(), |builder| builder)
    }

    pub(super) fn with(
        database: Arc<Database>,
        store: Arc<Spy>,
        settings: impl FnOnce(MrcClientBuilder) -> MrcClientBuilder,
    ) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let client = settings(MrcClient::builder())
            .shared_store(store.clone())
            .shared_executor(database.clone())
            .on_event(move |event: &Event<'_>| heard.lock().unwrap().push(name(event)))
            .build()
            .unwrap();
        Self { client, database, store, events }
    }

    pub(super) fn key(&self) -> String {
        self.client.key(SQL, params! { "Id" => 1 }).unwrap().into_string()
    }

    pub(super) fn ask(&self) -> tokio::task::JoinHandle<Result<Answer, Error>> {
        let client = self.client.clone();
        tokio::spawn(async move { client.query_with_cache(SQL, params! { "Id" => 1 }, HOUR).await })
    }

    pub(super) async fn version(&self) -> u64 {
        version(&self.ask().await.unwrap().unwrap())
    }

    pub(super) async fn invalidate(&self) {
        self.store.memory.remove(&[self.key().into()]).await.unwrap();
    }

    /// Lets background tasks run as far as they can without the clock.
    pub(super) async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// Asks a database whose queries wait, until the query has read its row.
    pub(super) async fn reading() -> (Self, tokio::task::JoinHandle<Result<Answer, Error>>) {
        let it = Self::new(Database::gated());
        let reader = it.ask();
        it.database.reads(1).await;
        (it, reader)
    }

    /// Returns the events so far, without `Computed`, which comes with every read.
    pub(super) fn events(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| *event != "Computed").cloned().collect()
    }
}

pub(super) fn version(answer: &Answer) -> u64 {
    answer.json::<serde_json::Value>().unwrap()[0]["version"].as_u64().unwrap()
}

fn name(event: &Event<'_>) -> String {
    let debug = format!("{event:?}");
    let kind: String = debug.chars().take_while(char::is_ascii_alphabetic).collect();
    match event {
        Event::Bypassed { why, .. } => {
            kind + " " + &format!("{why:?}").chars().take_while(char::is_ascii_alphabetic).collect::<String>()
        }
        _ => kind,
    }
}
