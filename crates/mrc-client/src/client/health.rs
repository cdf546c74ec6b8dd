//! A client's probe of its servers.

use futures_util::future::join3;

use super::MrcClient;
use crate::health::{Health, probe, tag_risks};

impl MrcClient {
    /// Asks all servers at once whether they answer. Takes at most 5 s, and connects if necessary.
    pub async fn health(&self) -> Health {
        let inner = self.inner();
        let store = &**inner.pipeline.store.shared();
        let cache = probe(async { Ok(store.ping().await?) });
        let database = async {
            let executor = inner.executor.as_deref()?;
            Some(probe(async { Ok(executor.ping().await?) }).await)
        };
        let (cache, database, tag_risks) = join3(cache, database, tag_risks(store)).await;
        Health { cache, database, tag_risks }
    }
}
