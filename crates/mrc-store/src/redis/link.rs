//! The link to one server: a connection shared by all callers, with a circuit breaker.
//!
//! A task, the *keeper*, connects and reconnects as long as the link exists. Callers never connect.
//!
//! | circuit | state | a call |
//! |---|---|---|
//! | closed | `Connected` | is sent, once |
//! | open | `Failed` | fails at once, with the last error |
//! | half-open | `Failed` too, while the keeper tries | the same: only the keeper's own attempt is a probe |
//!
//! The circuit opens when the connection breaks, or when no command of the last two
//! `command_timeout`s was answered. The keeper probes after 1 ms, then more and more rarely, up to
//! `max_reconnect_delay`. It needs no traffic for that and never stops. A probe is a whole
//! connection: TLS, login, and a node's healthy cluster. The first success closes the circuit.
//!
//! Callers wait only for the very first attempt, because there is no error yet to return.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, ClusterInterface};
use fred::types::Builder;
use fred::types::config::Server;
use futures_util::future::{Either, select};
use mrc_core::Event;
use rand::Rng;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::config::RedisConfig;
use super::failure::{cluster_error, store_error};
use crate::error::StoreError;
use crate::listeners::Listeners;

const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The link to one server.
pub(super) struct Link {
    keeper: Mutex<Option<AbortOnDrop<()>>>,
    inner: Arc<LinkState>,
}

/// The server of a link.
pub(super) struct Address {
    /// The name in events and errors.
    pub(super) name: String,
    /// The address, if it is fixed.
    pub(super) server: Option<Server>,
}

struct LinkState {
    address: Arc<Address>,
    builder: Builder,
    in_cluster: bool,
    connect_timeout: Duration,
    command_timeout: Duration,
    longest_wait: Duration,
    listeners: Arc<Listeners>,
    state: watch::Sender<LinkPhase>,
    began: Instant,
    /// The first of the latest time-outs, in ms since the beginning. 0 after an answer.
    silent_since: AtomicU64,
    loss: Mutex<Loss>,
}

enum LinkPhase {
    /// No call yet.
    Idle,
    /// The very first attempt is running.
    Connecting,
    Connected(Arc<Connection>),
    Failed(Error),
    Closed,
}

/// The state that the listeners know.
#[derive(Default)]
struct Loss {
    since: Option<Instant>,
    retired: bool,
}

impl Link {
    /// Returns the link to the one configured server, perhaps behind sentinels.
    pub(super) fn new(config: &RedisConfig, listeners: Arc<Listeners>) -> Result<Self, StoreError> {
        let server = config.hosts().pop().filter(|_| config.has_address());
        let address = Address { name: config.server_name(), server };
        Ok(Self::build(config, address, config.build()?, listeners))
    }

    /// Returns the link to one node of a cluster.
    pub(super) fn node(config: &RedisConfig, builder: &Builder, server: Server, listeners: Arc<Listeners>) -> Self {
        let builder = config.node(builder, server.clone());
        let address = Address { name: server.to_string(), server: Some(server) };
        Self::build(config, address, builder, listeners)
    }

    fn build(config: &RedisConfig, address: Address, builder: Builder, listeners: Arc<Listeners>) -> Self {
        let inner = LinkState {
            address: Arc::new(address),
            builder,
            in_cluster: config.is_cluster(),
            connect_timeout: config.connect_timeout,
            command_timeout: config.command_timeout,
            longest_wait: config.max_reconnect_delay.max(SHORTEST_WAIT),
            listeners,
            state: watch::Sender::new(LinkPhase::Idle),
            began: Instant::now(),
            silent_since: AtomicU64::new(0),
            loss: Mutex::default(),
        };
        Self { keeper: Mutex::default(), inner: Arc::new(inner) }
    }

    /// Returns the server of the link.
    pub(super) fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Returns whether the circuit is closed.
    pub(super) fn is_connected(&self) -> bool {
        matches!(&*self.inner.state.borrow(), LinkPhase::Connected(connection) if !connection.has_ended())
    }

    /// Returns the connection if the circuit is closed.
    pub(super) fn open_connection(&self) -> Option<Arc<Connection>> {
        match &*self.inner.state.borrow() {
            LinkPhase::Connected(connection) if !connection.has_ended() => Some(connection.clone()),
            _ => None,
        }
    }

    /// Returns the connection. Waits only for the very first attempt.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        if let Some(connection) = self.open_connection() {
            return Ok(connection);
        }
        self.keep();
        let mut state = self.inner.state.subscribe();
        let limit = self.inner.connect_timeout;
        // The keeper has the same limit. This limit is for a keeper whose runtime ends meanwhile.
        let first = tokio::time::timeout(limit, state.wait_for(|state| !matches!(state, LinkPhase::Connecting))).await;
        let Ok(Ok(state)) = first else { return Err(StoreError::Timeout(limit)) };
        match &*state {
            LinkPhase::Connected(connection) if !connection.has_ended() => Ok(connection.clone()),
            LinkPhase::Connected(connection) => Err(self.error(connection.end(), limit)),
            LinkPhase::Failed(error) => Err(self.error(error.clone(), limit)),
            LinkPhase::Closed => Err(StoreError::Closed),
            LinkPhase::Idle | LinkPhase::Connecting => Err(StoreError::Timeout(limit)),
        }
    }

    /// Converts the outcome of a command, and notes whether the connection answers.
    pub(super) fn judge<T>(&self, outcome: Result<T, Error>) -> Result<T, StoreError> {
        let limit = self.inner.command_timeout;
        match &outcome {
            Err(error) if *error.kind() == ErrorKind::Timeout => self.inner.no_answer(),
            _ => self.inner.heard(),
        }
        outcome.map_err(|error| self.error(error, limit))
    }

    /// Sends a ping to the server.
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        let answer = async {
            let connection = self.connection().await?;
            let answer = connection.client.ping::<()>(None).await;
            self.judge(answer)
        };
        answer.await.map_err(|error| match error {
            StoreError::Timeout(limit) => {
                let error = Error::new(ErrorKind::Timeout, format!("no answer within {limit:?}"));
                StoreError::Unavailable(format!("{}: {error}", self.address().name).into())
            }
            error => error,
        })
    }

    /// Closes the connection for good. This isn't reported as a loss.
    pub(super) async fn close(&self) {
        lock(&self.inner.loss).retired = true;
        let (keeper, last) = {
            let mut keeper = lock(&self.keeper);
            (keeper.take(), self.inner.state.send_replace(LinkPhase::Closed))
        };
        if let LinkPhase::Connected(connection) = last {
            // A connection that can't quit is broken already. The keeper is stopped in any case.
            let _ = tokio::time::timeout(self.inner.command_timeout, connection.client.quit()).await;
        }
        drop(keeper);
    }

    /// Ends the loss for the listeners: the cluster works without this server.
    pub(super) fn retire(&self) {
        lock(&self.inner.loss).retired = true;
        self.inner.tell_back();
    }

    /// Starts a keeper at the first use, or if the runtime of the last keeper has ended.
    fn keep(&self) {
        let mut keeper = lock(&self.keeper);
        let is_kept = keeper.as_ref().is_some_and(|keeper| !keeper.0.is_finished());
        if !is_kept && self.inner.set(LinkPhase::Connecting) {
            *keeper = Some(AbortOnDrop(tokio::spawn(keep(self.inner.clone()))));
        }
    }

    fn error(&self, error: Error, limit: Duration) -> StoreError {
        let name = &self.inner.address.name;
        let of_a_node = if self.inner.in_cluster { None } else { cluster_error(&error, name) };
        of_a_node.unwrap_or_else(|| store_error(error, limit, name))
    }
}

/// Connects, and reconnects forever.
async fn keep(link: Arc<LinkState>) {
    let mut wait = SHORTEST_WAIT;
    loop {
        let error = match link.connect().await {
            Ok((connection, mut driver)) => {
                let began = Instant::now();
                link.heard();
                link.set(LinkPhase::Connected(connection.clone()));
                link.tell_back();
                let end = (&mut driver.0).await;
                // A short connection is no success: a server may accept and hang up at once.
                if began.elapsed() > link.longest_wait {
                    wait = SHORTEST_WAIT;
                }
                match end {
                    Ok(Err(error)) => error,
                    _ => connection.end(),
                }
            }
            Err(error) => error,
        };
        link.set(LinkPhase::Failed(error.clone()));
        link.tell_lost(&error);
        // Random, so that processes don't reconnect together.
        let part = rand::rng().random_range(0.75..=1.0);
        tokio::time::sleep(wait.mul_f64(part)).await;
        wait = (wait * 2).min(link.longest_wait);
    }
}

impl LinkState {
    /// Sets the state. Returns false if the link was closed, which it stays.
    fn set(&self, state: LinkPhase) -> bool {
        self.state.send_if_modified(|current| {
            let open = !matches!(current, LinkPhase::Closed);
            if open {
                *current = state;
            }
            open
        })
    }

    async fn connect(&self) -> Result<(Arc<Connection>, AbortOnDrop<Result<(), Error>>), Error> {
        let outcome = tokio::time::timeout(self.connect_timeout, self.connect_once()).await;
        outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "connecting took too long")))
    }

    async fn connect_once(&self) -> Result<(Arc<Connection>, AbortOnDrop<Result<(), Error>>), Error> {
        let client = self.builder.build()?;
        let mut connected: Pin<Box<_>> = Box::pin(client.wait_for_connect());
        // The future listens from its first poll on, which must precede the attempt.
        poll_fn(|cx| {
            let _ = connected.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;

        let mut driver = AbortOnDrop(client.connect());
        match select(connected, &mut driver.0).await {
            Either::Left((outcome, _)) => outcome?,
            Either::Right((Ok(Err(error)), _)) => return Err(error),
            Either::Right(_) => return Err(Error::new_canceled()),
        }
        if self.in_cluster {
            // A node outside its cluster always answers CLUSTERDOWN, and fred then disconnects.
            let info: String = client.cluster_info().await?;
            if info.contains("cluster_state:fail") {
                return Err(Error::new(ErrorKind::Cluster, "CLUSTERDOWN the node says that its cluster is down"));
            }
        }
        let connection = Connection {
            client,
            address: self.address.clone(),
            driver: driver.0.abort_handle(),
            given_up: AtomicBool::new(false),
            knows_tags: AtomicBool::new(false),
        };
        Ok((Arc::new(connection), driver))
    }

    fn heard(&self) {
        // A relaxed load first: a store at each answer would be a needless write to shared memory.
        if self.silent_since.load(Ordering::Relaxed) != 0 {
            self.silent_since.store(0, Ordering::Relaxed);
        }
    }

    /// Ends a connection that has long been silent. fred does that only if nothing is sent either.
    fn no_answer(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let since = match self.silent_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => now,
            Err(since) => since,
        };
        let silence = Duration::from_millis(now.saturating_sub(since));
        if silence >= self.command_timeout
            && let LinkPhase::Connected(connection) = &*self.state.borrow()
        {
            connection.given_up.store(true, Ordering::Relaxed);
            connection.driver.abort();
        }
    }

    fn tell_lost(&self, error: &Error) {
        let mut loss = lock(&self.loss);
        let is_new = loss.since.is_none() && !loss.retired;
        if is_new {
            loss.since = Some(Instant::now());
        }
        drop(loss);
        if is_new {
            let error = error.to_string();
            self.listeners.tell(&Event::ServerLost { server: &self.address.name, error: &error });
        }
    }

    fn tell_back(&self) {
        let since = lock(&self.loss).since.take();
        if let Some(since) = since {
            self.listeners.tell(&Event::ServerBack { server: &self.address.name, after: since.elapsed() });
        }
    }
}

/// A connected client.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) address: Arc<Address>,
    driver: AbortHandle,
    given_up: AtomicBool,
    knows_tags: AtomicBool,
}

impl Connection {
    /// fred's own state is useless once its driver has ended: commands would wait forever.
    fn has_ended(&self) -> bool {
        self.driver.is_finished()
    }

    /// Returns whether this is the connection's first use of tags.
    pub(super) fn is_new_to_tags(&self) -> bool {
        !self.knows_tags.load(Ordering::Relaxed) && !self.knows_tags.swap(true, Ordering::Relaxed)
    }

    /// Returns the reason why the connection ended, as far as known.
    fn end(&self) -> Error {
        let reason = if self.given_up.load(Ordering::Relaxed) {
            "the server left every command unanswered"
        } else {
            "the connection broke"
        };
        Error::new(ErrorKind::IO, reason)
    }
}

/// A task that is aborted when its owner is dropped.
pub(super) struct AbortOnDrop<T>(pub(super) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
