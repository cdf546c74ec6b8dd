//! The one connection of a store: made at first use, shared, and replaced where fred can't mend it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use fred::clients::{Client, WithOptions};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, EventInterface};
use fred::types::Builder;
use fred::types::config::{Options, Server};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinHandle;

use super::RedisConfig;
use super::failure::store_error;
use crate::error::StoreError;

/// The way to the server.
pub(super) struct Link {
    builder: Builder,
    is_cluster: bool,
    connect_timeout: Duration,
    command_timeout: Duration,
    state: RwLock<State>,
}

enum State {
    /// Nobody has asked yet.
    Idle,
    /// Somebody has. The very first attempt is awaited; after a failure callers get that one again, at once.
    Connecting(Attempt, Option<Error>),
    /// fred reconnects by itself from here on.
    Connected(Arc<Connection>),
    /// The next attempt may begin then.
    Failed(Error, Instant),
    Closed,
}

/// All who come while it is under way share it.
type Attempt = Shared<BoxFuture<'static, Outcome>>;
/// And how long a failure took.
type Outcome = Result<Arc<Connection>, (Error, Duration)>;

impl Link {
    pub(super) fn new(config: &RedisConfig) -> Result<Self, StoreError> {
        Ok(Self {
            builder: config.build()?,
            is_cluster: config.is_cluster(),
            connect_timeout: config.connect_timeout,
            command_timeout: config.command_timeout,
            state: RwLock::new(State::Idle),
        })
    }

    /// The connection. Waits for it only if there was no attempt before.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        let connection = loop {
            match &*self.read() {
                State::Connected(connection) if !connection.has_ended() => break connection.clone(),
                _ => {}
            }
            match self.advance()? {
                Either::Left(connection) => break connection,
                Either::Right(attempt) => drop(attempt.await),
            }
        };
        if connection.broke_just_now() {
            return Err(store_error(Error::new(ErrorKind::IO, "the connection broke"), self.command_timeout));
        }
        Ok(connection)
    }

    /// The outcome of a command as the store's own; and what it says about the connection.
    pub(super) fn judge<T>(&self, connection: &Arc<Connection>, outcome: Result<T, Error>) -> Result<T, StoreError> {
        match &outcome {
            Err(error) if *error.kind() == ErrorKind::Timeout => self.no_answer(connection),
            // In a cluster the answer may be another server's.
            Ok(_) if !self.is_cluster => connection.heard(),
            _ => {}
        }
        outcome.map_err(|error| store_error(error, self.command_timeout))
    }

    /// Closes the connection, for good.
    pub(super) async fn close(&self) {
        let last = std::mem::replace(&mut *self.write(), State::Closed);
        if let State::Connected(connection) = last {
            // What fails here is broken already, and the driver is stopped in any case.
            let _ = tokio::time::timeout(self.command_timeout, connection.client.quit()).await;
            connection.driver.0.abort();
        }
    }

    /// The connection if there is one, else the attempt to wait for.
    fn advance(&self) -> Result<Either<Arc<Connection>, Attempt>, StoreError> {
        let failed = |error: &Error| Err(store_error(error.clone(), self.connect_timeout));
        let mut state = self.write();
        state.settle();
        let before = match &*state {
            State::Closed => return Err(StoreError::Closed),
            State::Connected(connection) if !connection.has_ended() => return Ok(Either::Left(connection.clone())),
            State::Connecting(attempt, None) => return Ok(Either::Right(attempt.clone())),
            State::Connecting(_, Some(error)) => return failed(error),
            State::Failed(error, retry_at) if Instant::now() < *retry_at => return failed(error),
            State::Failed(error, _) => Some(error.clone()),
            // The driver ended with the runtime that it was on, or by an error that fred takes as final.
            State::Connected(_) | State::Idle => None,
        };
        let attempt = self.begin();
        *state = State::Connecting(attempt.clone(), before.clone());
        match before {
            Some(error) => failed(&error),
            None => Ok(Either::Right(attempt)),
        }
    }

    /// A task, so that it goes on when nobody waits.
    fn begin(&self) -> Attempt {
        let task = tokio::spawn(connect(self.builder.clone(), self.connect_timeout));
        task.map(|outcome| outcome.unwrap_or_else(|_| Err((Error::new_canceled(), Duration::ZERO)))).boxed().shared()
    }

    /// Gives a connection up on which nothing came for long. fred does that only if nothing is sent either.
    fn no_answer(&self, connection: &Arc<Connection>) {
        if connection.silence() < self.command_timeout {
            return;
        }
        let mut state = self.write();
        if matches!(&*state, State::Connected(current) if Arc::ptr_eq(current, connection)) {
            let error = Error::new(ErrorKind::IO, "the server left every command unanswered");
            *state = State::Failed(error, Instant::now());
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes over the outcome of an attempt that is over.
    fn settle(&mut self) {
        let State::Connecting(attempt, _) = self else { return };
        match attempt.clone().now_or_never() {
            None => {}
            Some(Ok(connection)) => *self = Self::Connected(connection),
            // After as long as the attempt took: a server that refuses is asked often, one that is silent rarely.
            Some(Err((error, took))) => *self = Self::Failed(error, Instant::now() + took),
        }
    }
}

/// A client that connected once.
pub(super) struct Connection {
    pub(super) client: WithOptions<Client>,
    driver: Task<Result<(), Error>>,
    began: Instant,
    /// When the first of the latest time-outs was, in ms since the beginning. 0: there was an answer since.
    silent_since: AtomicU64,
    /// When an error last broke it, in the same way.
    broken_at: Arc<AtomicU64>,
    _watch: Task<()>,
}

impl Connection {
    /// A client for one node of a cluster.
    pub(super) fn node(&self, server: Option<Server>) -> WithOptions<Client> {
        let client: &Client = &self.client;
        client.with_options(&options(client, server))
    }

    /// Whether it broke just now. fred knows for itself only after its first wait: until then it would take a
    /// command and keep it for as long as the server is away.
    fn broke_just_now(&self) -> bool {
        const UNTIL_FRED_KNOWS: u64 = 10;
        let broken_at = self.broken_at.load(Ordering::Relaxed);
        broken_at != 0 && self.age() < broken_at + UNTIL_FRED_KNOWS
    }

    /// In ms, from 1 on.
    fn age(&self) -> u64 {
        millis_since(self.began)
    }

    fn has_ended(&self) -> bool {
        self.driver.0.is_finished()
    }

    fn heard(&self) {
        // Almost always a read of what nobody writes.
        if self.silent_since.load(Ordering::Relaxed) != 0 {
            self.silent_since.store(0, Ordering::Relaxed);
        }
    }

    /// How long ago the first of the latest time-outs was.
    fn silence(&self) -> Duration {
        let now = self.age();
        match self.silent_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Duration::ZERO,
            Err(since) => Duration::from_millis(now.saturating_sub(since)),
        }
    }
}

/// A task of a connection. It would outlive the store otherwise.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connect(builder: Builder, limit: Duration) -> Outcome {
    let begin = Instant::now();
    let outcome = tokio::time::timeout(limit, connect_once(&builder)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "connecting took too long")));
    outcome.map(Arc::new).map_err(|error| (error, begin.elapsed()))
}

async fn connect_once(builder: &Builder) -> Result<Connection, Error> {
    let client = builder.build()?;
    let mut connected: Pin<Box<_>> = Box::pin(client.wait_for_connect());
    // It listens from its first poll on: that must come before the attempt begins.
    poll_fn(|cx| {
        let _ = connected.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;

    let mut driver = Task(client.connect());
    match select(connected, &mut driver.0).await {
        Either::Left((outcome, _)) => outcome?,
        Either::Right((Ok(Err(error)), _)) => return Err(error),
        Either::Right(_) => return Err(Error::new_canceled()),
    }
    let (began, broken_at) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    Ok(Connection {
        _watch: Task(tokio::spawn(watch(client.error_rx(), broken_at.clone(), began))),
        client: client.with_options(&options(&client, None)),
        driver,
        began,
        silent_since: AtomicU64::new(0),
        broken_at,
    })
}

/// Notes when fred last met an error on the connection.
async fn watch(mut errors: Receiver<(Error, Option<Server>)>, broken_at: Arc<AtomicU64>, began: Instant) {
    while let Ok(_) | Err(RecvError::Lagged(_)) = errors.recv().await {
        broken_at.store(millis_since(began), Ordering::Relaxed);
    }
}

fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
}

fn options(client: &Client, cluster_node: Option<Server>) -> Options {
    // fred counts redirections as attempts too. What is never sent again, by `fail_fast`, is a command whose answer was lost.
    let attempts = if client.is_clustered() { client.connection_config().max_redirections + 1 } else { 1 };
    // While disconnected fred would queue the command: better to fail at once, the caller has a database.
    Options { fail_fast: true, max_attempts: Some(attempts), cluster_node, ..Options::default() }
}
