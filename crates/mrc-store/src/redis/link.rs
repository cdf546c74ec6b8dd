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

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mrc_core::Event;
use rand::Rng;
use tokio::sync::watch;

use super::client::{Client, Dialer, End, Fault, FaultKind, Login, Place, Server};
use super::config::{Deployment, RedisConfig};
use super::failure::{cluster_error, store_error};
use super::sentinel::{Sentinels, check_role};
use super::task::AbortOnDrop;
use crate::error::StoreError;
use crate::listeners::Listeners;
use crate::lock::lock;

const SHORTEST_WAIT: Duration = Duration::from_millis(1);

pub(super) struct Link {
    keeper: Mutex<Option<AbortOnDrop<()>>>,
    inner: Arc<LinkState>,
}

pub(super) struct Address {
    /// The name in events and errors.
    pub(super) name: String,
    /// The address, if it is fixed.
    pub(super) server: Option<Server>,
}

struct LinkState {
    address: Arc<Address>,
    dialer: Dialer,
    login: Login,
    route: Route,
    in_cluster: bool,
    longest_wait: Duration,
    listeners: Arc<Listeners>,
    state: watch::Sender<LinkPhase>,
    began: Instant,
    /// The first of the latest time-outs, in ms since the beginning. 0 after an answer.
    silent_since: AtomicU64,
    loss: Mutex<Loss>,
}

enum Route {
    To(Place),
    By(Sentinels),
}

enum LinkPhase {
    /// No call yet.
    Idle,
    /// The very first attempt is running.
    Connecting,
    Connected(Arc<Connection>),
    Failed(Fault),
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
        let (server, route) = match &config.deployment {
            Deployment::One(server) => (Some(server.clone()), Route::To(server.clone().into())),
            Deployment::Unix(path) => (None, Route::To(Place::Unix(path.clone()))),
            Deployment::Sentinels(sentinels) => (None, Route::By(Sentinels::new(sentinels.clone()))),
            Deployment::Cluster(_) => return Err(StoreError::Config("a cluster isn't one server".into())),
        };
        let address = Address { name: config.server_name(), server };
        Ok(Self::build(config, address, route, config.dialer()?, listeners))
    }

    /// Returns the link to one node of a cluster.
    pub(super) fn node(config: &RedisConfig, dialer: &Dialer, server: Server, listeners: Arc<Listeners>) -> Self {
        let route = Route::To(config.node(server.clone()));
        let address = Address { name: server.to_string(), server: Some(server) };
        Self::build(config, address, route, dialer.clone(), listeners)
    }

    fn build(config: &RedisConfig, address: Address, route: Route, dialer: Dialer, listeners: Arc<Listeners>) -> Self {
        let inner = LinkState {
            address: Arc::new(address),
            dialer,
            login: config.login.clone(),
            route,
            in_cluster: config.is_cluster(),
            longest_wait: config.max_reconnect_delay.max(SHORTEST_WAIT),
            listeners,
            state: watch::Sender::new(LinkPhase::Idle),
            began: Instant::now(),
            silent_since: AtomicU64::new(0),
            loss: Mutex::default(),
        };
        Self { keeper: Mutex::default(), inner: Arc::new(inner) }
    }

    pub(super) fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Returns the connection if the circuit is closed.
    pub(super) fn open_connection(&self) -> Option<Arc<Connection>> {
        match &*self.inner.state.borrow() {
            LinkPhase::Connected(connection) if !connection.client.has_ended() => Some(connection.clone()),
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
        let limit = self.inner.dialer.connect_timeout;
        // The keeper has the same limit. This limit is for a keeper whose runtime ends meanwhile.
        let first = tokio::time::timeout(limit, state.wait_for(|state| !matches!(state, LinkPhase::Connecting))).await;
        let Ok(Ok(state)) = first else { return Err(StoreError::Timeout(limit)) };
        match &*state {
            LinkPhase::Connected(connection) if !connection.client.has_ended() => Ok(connection.clone()),
            LinkPhase::Connected(connection) => Err(self.error(connection.client.ended(), limit)),
            LinkPhase::Failed(error) => Err(self.error(error.clone(), limit)),
            LinkPhase::Closed => Err(StoreError::Closed),
            LinkPhase::Idle | LinkPhase::Connecting => Err(StoreError::Timeout(limit)),
        }
    }

    /// Converts the outcome of a command, and notes whether the connection answers.
    pub(super) fn judge<T>(&self, outcome: Result<T, Fault>) -> Result<T, StoreError> {
        let limit = self.inner.dialer.command_timeout;
        match &outcome {
            Err(fault) if fault.kind == FaultKind::Timeout => self.inner.no_answer(),
            _ => self.inner.heard(),
        }
        outcome.map_err(|error| self.error(error, limit))
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        let answer = async {
            let connection = self.connection().await?;
            self.judge(connection.client.send("PING", Vec::new()).await).map(drop)
        };
        answer.await.map_err(|error| match error {
            StoreError::Timeout(limit) => {
                StoreError::Unavailable(format!("{}: no answer within {limit:?}", self.address().name).into())
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
            let _ = tokio::time::timeout(self.inner.dialer.command_timeout, connection.client.quit()).await;
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

    fn error(&self, error: Fault, limit: Duration) -> StoreError {
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
            Ok((connection, end)) => {
                let began = Instant::now();
                link.heard();
                link.set(LinkPhase::Connected(connection.clone()));
                link.tell_back();
                let end = end.await;
                // A short connection is no success: a server may accept and hang up at once.
                if began.elapsed() > link.longest_wait {
                    wait = SHORTEST_WAIT;
                }
                connection.client.reason().cloned().unwrap_or(end)
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

    async fn connect(&self) -> Result<(Arc<Connection>, End), Fault> {
        let outcome = tokio::time::timeout(self.dialer.connect_timeout, self.connect_once()).await;
        outcome.unwrap_or_else(|_| Err(Fault::new(FaultKind::Timeout, "connecting took too long")))
    }

    async fn connect_once(&self) -> Result<(Arc<Connection>, End), Fault> {
        let (client, end) = match &self.route {
            Route::To(place) => self.dialer.dial(place, &self.login).await?,
            Route::By(sentinels) => {
                let primary = sentinels.primary(&self.dialer).await?;
                let (client, end) = self.dialer.dial(&primary.into(), &self.login).await?;
                check_role(&client).await?;
                (client, end)
            }
        };
        if self.in_cluster {
            // A node outside its cluster answers CLUSTERDOWN to every command, which ends the
            // connection.
            let info = client.send("CLUSTER", vec!["INFO".into()]).await?.into_string().unwrap_or_default();
            if info.contains("cluster_state:fail") {
                return Err(Fault::new(FaultKind::Server, "CLUSTERDOWN the node says that its cluster is down"));
            }
        }
        let connection = Connection { client, address: self.address.clone(), knows_tags: AtomicBool::new(false) };
        Ok((Arc::new(connection), end))
    }

    fn heard(&self) {
        // A relaxed load first: a store at each answer would be a needless write to shared memory.
        if self.silent_since.load(Ordering::Relaxed) != 0 {
            self.silent_since.store(0, Ordering::Relaxed);
        }
    }

    /// Ends a connection that has long been silent.
    fn no_answer(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let since = match self.silent_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => now,
            Err(since) => since,
        };
        let silence = Duration::from_millis(now.saturating_sub(since));
        if silence >= self.dialer.command_timeout
            && let LinkPhase::Connected(connection) = &*self.state.borrow()
        {
            connection.client.end(Fault::new(FaultKind::Closed, "the server left every command unanswered"));
        }
    }

    fn tell_lost(&self, error: &Fault) {
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

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) address: Arc<Address>,
    knows_tags: AtomicBool,
}

impl Connection {
    /// Returns whether this is the connection's first use of tags.
    pub(super) fn is_new_to_tags(&self) -> bool {
        !self.knows_tags.load(Ordering::Relaxed) && !self.knows_tags.swap(true, Ordering::Relaxed)
    }
}
