//! Caches functions by an attribute, and invalidates the entries that they read.
//!
//! `cargo run -p mrc --features memory --example cached`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use mrc::{Cache, MemoryStore, cached, invalidates};
use tokio::sync::RwLock;

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("there is no user {0}")]
    NoSuchUser(u64),
    #[error(transparent)]
    Cache(#[from] mrc::Error),
}

struct Shop {
    cache: Cache,
    users: RwLock<BTreeMap<u64, String>>,
}

impl Shop {
    #[cached(cache = self.cache, ttl = 600, key(user_id), tags("user:{user_id}"))]
    async fn name(&self, user_id: u64) -> Result<String, ShopError> {
        println!("  the database is asked for user {user_id}");
        self.users.read().await.get(&user_id).cloned().ok_or(ShopError::NoSuchUser(user_id))
    }

    /// Inherits the tag of `name`: an invalidation of the user invalidates the greeting too.
    #[cached(cache = self.cache, ttl = 600, key(user_id))]
    async fn greeting(&self, user_id: u64) -> Result<String, ShopError> {
        Ok(format!("Hello, {}!", self.name(user_id).await?))
    }

    #[invalidates(cache = self.cache, tags("user:{user_id}"))]
    async fn rename(&self, user_id: u64, name: &str) -> Result<(), ShopError> {
        self.users.write().await.insert(user_id, name.to_owned());
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), ShopError> {
    let shop = Shop {
        cache: Cache::builder(MemoryStore::new()).namespace("shop").build()?,
        users: RwLock::new([(42, "Ann".to_owned())].into()),
    };
    println!("{}", shop.greeting(42).await?);
    println!("{}", shop.greeting(42).await?);
    shop.rename(42, "Anne").await?;
    println!("{}", shop.greeting(42).await?);
    println!("its entry is {}", shop.greeting_entry(42).key()?);
    Ok(())
}
