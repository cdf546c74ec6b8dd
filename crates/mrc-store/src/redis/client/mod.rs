//! The seam below the store: what it needs of a Redis client.
//!
//! | a client | the store, above the seam |
//! |---|---|
//! | connects to one server: TCP, TLS or unix socket, login, database | decides when, and waits between attempts |
//! | sends a command once and returns its answer, or a time-out | chooses the server, and follows MOVED |
//! | ends the connection after NOAUTH, WRONGPASS, READONLY and CLUSTERDOWN | connects again |
//! | reports the end of the connection | asks sentinels, reads the map of a cluster, runs scripts |
//!
//! A client never reconnects, and never sends a command again.

mod dialer;
mod fred;
#[cfg(feature = "redis-rs")]
mod redis_rs;
mod value;

use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;

use self::fred::FredClient;
#[cfg(feature = "redis-rs")]
use self::redis_rs::RedisRsClient;
use super::task::AbortOnDrop;

pub use self::dialer::RedisClient;
pub(super) use self::dialer::{Dialer, Login, Place, Server};
pub(super) use self::value::{Fault, FaultKind, Value};

/// Resolves at the end of the connection, with the reason. Dropping it ends the connection.
pub(super) type End = BoxFuture<'static, Fault>;

impl Dialer {
    /// Connects and logs in. The caller limits the time.
    pub(super) async fn dial(&self, place: &Place, login: &Login) -> Result<(Client, End), Fault> {
        match self.client {
            RedisClient::Fred => {
                let (client, driver) = fred::dial(self, place, login).await?;
                Ok(Client::new(Kind::Fred(client), driver, fred::end))
            }
            #[cfg(feature = "redis-rs")]
            RedisClient::RedisRs => {
                let (client, driver) = redis_rs::dial(self, place, login).await?;
                Ok(Client::new(Kind::RedisRs(client), driver, |()| None))
            }
            #[cfg(not(feature = "redis-rs"))]
            RedisClient::RedisRs => Err(Fault::new(FaultKind::Config, "the feature `redis-rs` is off")),
        }
    }
}

/// A connection to one server, shared by all callers.
pub(super) struct Client {
    kind: Kind,
    driver: AbortHandle,
    /// The reason why we ended the connection.
    reason: OnceLock<Fault>,
}

/// An enum, because a box for each call would cost more than a tenth of a hit.
enum Kind {
    Fred(FredClient),
    #[cfg(feature = "redis-rs")]
    RedisRs(RedisRsClient),
}

impl Client {
    /// `ended` converts what the client's task returned.
    fn new<T: Send + 'static>(
        kind: Kind,
        driver: AbortOnDrop<T>,
        ended: impl FnOnce(T) -> Option<Fault> + Send + 'static,
    ) -> (Self, End) {
        let client = Self { kind, driver: driver.0.abort_handle(), reason: OnceLock::new() };
        let end = async move {
            let mut driver = driver;
            (&mut driver.0).await.ok().and_then(ended).unwrap_or_else(broken)
        };
        (client, Box::pin(end))
    }

    pub(super) async fn get(&self, key: Bytes) -> Result<Option<Bytes>, Fault> {
        match &self.kind {
            Kind::Fred(client) => client.get(key).await,
            #[cfg(feature = "redis-rs")]
            Kind::RedisRs(client) => client.get(key).await.inspect_err(|fault| self.end_if_useless(fault)),
        }
    }

    /// Sends a command once. Its future may be dropped: the answer is then thrown away.
    pub(super) async fn send(&self, command: &'static str, args: Vec<Value>) -> Result<Value, Fault> {
        match &self.kind {
            Kind::Fred(client) => client.send(command, args).await,
            #[cfg(feature = "redis-rs")]
            Kind::RedisRs(client) => client.send(command, args).await.inspect_err(|fault| self.end_if_useless(fault)),
        }
    }

    /// Returns whether the connection has ended. fred's own state wouldn't show it.
    pub(super) fn has_ended(&self) -> bool {
        self.driver.is_finished()
    }

    /// Returns the reason why the connection ended, as far as known.
    pub(super) fn ended(&self) -> Fault {
        self.reason.get().cloned().unwrap_or_else(broken)
    }

    /// Ends the connection at once. Commands in flight fail.
    pub(super) fn end(&self, reason: Fault) {
        let _ = self.reason.set(reason);
        self.driver.abort();
    }

    /// Returns the reason for which we ended the connection.
    pub(super) fn reason(&self) -> Option<&Fault> {
        self.reason.get()
    }

    /// Lets the server end the connection.
    pub(super) async fn quit(&self) {
        match &self.kind {
            Kind::Fred(client) => client.quit().await,
            #[cfg(feature = "redis-rs")]
            Kind::RedisRs(client) => client.quit().await,
        }
    }

    /// Ends a connection that would repeat this answer: a new one may log in again. So does fred.
    #[cfg(feature = "redis-rs")]
    fn end_if_useless(&self, fault: &Fault) {
        const USELESS: [&str; 4] = ["NOAUTH", "WRONGPASS", "READONLY", "CLUSTERDOWN"];
        if fault.kind == FaultKind::Server && USELESS.contains(&fault.first_word()) {
            self.end(fault.clone());
        }
    }
}

fn broken() -> Fault {
    Fault::new(FaultKind::Closed, "the connection broke")
}
