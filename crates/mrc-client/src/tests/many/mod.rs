//! Many entries of one query, on a table of users: what is asked for, what is stored, and what
//! others get.

mod answers;
mod functions;
mod loader;
mod rules;

use super::*;

const SINGLE: &str = "SELECT id, name FROM users WHERE id = ?";
const BATCH: &str = "SELECT id, name FROM users WHERE id IN (?)";

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct User {
    id: u64,
    name: String,
}

fn user(id: u64, name: &str) -> User {
    User { id, name: name.into() }
}

fn users() -> Many {
    Many::new(SINGLE, "id", "UserId").batch(BATCH)
}

#[derive(Clone)]
struct Shop {
    client: MrcClient,
    table: Arc<Database>,
    store: Arc<Spy>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    fn open() -> Self {
        Self::with(Semaphore::MAX_PERMITS, |builder| builder)
    }

    /// Queries wait until the test adds permits to the table's gate.
    fn gated() -> Self {
        Self::with(0, |builder| builder)
    }

    fn with(permits: usize, settings: impl FnOnce(MrcClientBuilder) -> MrcClientBuilder) -> Self {
        let it = Fixture::with(Database::with_permits(permits), Spy::new(), settings);
        Self { client: it.client, table: it.database, store: it.store, events: it.events }
    }

    fn key(&self, id: u64) -> String {
        self.client.key(SINGLE, params! { "UserId" => id }).unwrap().into_string()
    }

    async fn ask(&self, ids: &[u64]) -> Result<HashMap<u64, User>, Error> {
        self.client.many_with_cache(users(), ids.iter().copied(), HOUR).await
    }

    fn spawn(&self, ids: &[u64]) -> tokio::task::JoinHandle<Result<HashMap<u64, User>, Error>> {
        let (shop, ids) = (self.clone(), ids.to_vec());
        tokio::spawn(async move { shop.ask(&ids).await })
    }

    async fn answers(&self, ids: &[u64]) -> Vec<Answer> {
        self.client.query_many_with_cache(users(), ids.iter().copied(), HOUR).await.unwrap()
    }

    /// Asks for one id by itself.
    async fn single(&self, id: u64) -> Answer {
        self.client.query_with_cache(SINGLE, params! { "UserId" => id }, HOUR).await.unwrap()
    }

    /// Returns how often each event was emitted since the last call, by name.
    fn events(&self) -> Vec<(String, usize)> {
        let mut counts = BTreeMap::new();
        for event in std::mem::take(&mut *self.events.lock().unwrap()) {
            *counts.entry(event).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    async fn is_cached(&self, id: u64) -> bool {
        self.store.memory.get(&self.key(id)).await.unwrap().is_some()
    }
}

fn counts(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}
