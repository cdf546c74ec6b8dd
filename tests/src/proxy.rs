//! A proxy between a client and a server that can watch and break the connection, and servers that
//! misbehave from the first byte.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::resp::take_commands;

/// The treatment of traffic, on open connections and on new ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Passes on the client's bytes, and holds the server's answers until the mode changes.
    HoldAnswers,
    /// Passes nothing on until the mode changes, like a network that stands still.
    Hold,
    /// Replaces each chunk of the server's answers with these bytes.
    Garbage(Vec<u8>),
    /// Flips a bit of these bytes in the server's answers, so many times, and then passes
    /// everything on.
    Flip(Vec<u8>, u32),
    /// Closes each connection at the next byte from either side, and new ones at once.
    Close,
}

/// A TCP proxy on 127.0.0.1. Dropping it stops it and closes its connections.
///
/// It belongs to the runtime of the test that made it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    mode: watch::Sender<Mode>,
    cuts: watch::Sender<u64>,
    record: Mutex<Record>,
    /// Notified of each command and connection, so that tests can await one.
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Record {
    commands: Vec<Vec<String>>,
    connections: usize,
    sent: usize,
    received: usize,
}

impl Proxy {
    /// Starts a proxy to a port of 127.0.0.1.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a bound address").port();
        let shared = Arc::new(Shared {
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
            record: Mutex::default(),
            changed: watch::Sender::new(()),
        });
        let task = tokio::spawn(accept(listener, server, Arc::clone(&shared)));
        Self { port, shared, task: task.abort_handle() }
    }

    /// Returns the port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the Redis commands of clients since the last [`reset`](Self::reset), with arguments.
    ///
    /// Text that isn't UTF-8 has replacement characters. Empty for other protocols.
    pub fn commands(&self) -> Vec<Vec<String>> {
        self.shared.record().commands.clone()
    }

    /// Returns the names of [`commands`](Self::commands), as the client wrote them.
    pub fn names(&self) -> Vec<String> {
        self.commands().into_iter().map(|mut command| command.swap_remove(0)).collect()
    }

    /// Returns how many of [`commands`](Self::commands) have this name, in any case.
    pub fn count(&self, name: &str) -> usize {
        self.shared.record().commands.iter().filter(|c| c.first().is_some_and(|n| n.eq_ignore_ascii_case(name))).count()
    }

    /// Returns how many connections clients opened since the last [`reset`](Self::reset).
    pub fn connections(&self) -> usize {
        self.shared.record().connections
    }

    /// Returns the bytes since the last [`reset`](Self::reset): from clients, from the server.
    pub fn bytes(&self) -> (usize, usize) {
        let record = self.shared.record();
        (record.sent, record.received)
    }

    /// Clears the records.
    pub fn reset(&self) {
        *self.shared.record() = Record::default();
    }

    /// Waits for a command with this name since the last [`reset`](Self::reset), and returns it.
    pub async fn seen(&self, name: &str) -> Vec<String> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            let is_it = |c: &&Vec<String>| c.first().is_some_and(|n| n.eq_ignore_ascii_case(name));
            let found = self.shared.record().commands.iter().find(is_it).cloned();
            if let Some(command) = found {
                return command;
            }
            changed.changed().await.expect("the sender lives in self");
        }
    }

    /// Sets the mode from now on.
    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Closes all open connections now. New ones are treated by the mode.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|n| *n += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("no holder panics")
    }
}

async fn accept(listener: TcpListener, server: u16, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        shared.record().connections += 1;
        shared.changed.send_replace(());
        if *shared.mode.borrow() == Mode::Close {
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = upstream.into_split();
            let mut cuts = shared.cuts.subscribe();
            // The first direction that ends closes both.
            tokio::select! {
                _ = requests(from_client, to_server, &shared) => {}
                _ = answers(from_server, to_client, &shared) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) -> std::io::Result<()> {
    let mut mode = shared.mode.subscribe();
    let (mut chunk, mut pending) = (vec![0; 64 * 1024], Vec::new());
    loop {
        let n = from.read(&mut chunk).await?;
        if n == 0 || *mode.borrow() == Mode::Close {
            return Ok(());
        }
        pending.extend_from_slice(&chunk[..n]);
        {
            let mut record = shared.record();
            record.sent += n;
            record.commands.extend(take_commands(&mut pending));
        }
        shared.changed.send_replace(());
        let _ = mode.wait_for(|mode| *mode != Mode::Hold).await;
        to.write_all(&chunk[..n]).await?;
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) -> std::io::Result<()> {
    let mut mode = shared.mode.subscribe();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let n = from.read(&mut chunk).await?;
        let now = mode.wait_for(|mode| !matches!(mode, Mode::Hold | Mode::HoldAnswers)).await;
        let now = now.map_or(Mode::Close, |mode| mode.clone());
        if n == 0 || now == Mode::Close {
            return Ok(());
        }
        shared.record().received += n;
        match now {
            Mode::Flip(bytes, times) => {
                if let Some(at) = chunk[..n].windows(bytes.len()).position(|window| window == bytes) {
                    chunk[at] ^= 1;
                    let next = if times > 1 { Mode::Flip(bytes, times - 1) } else { Mode::Pass };
                    shared.mode.send_replace(next);
                }
                to.write_all(&chunk[..n]).await?;
            }
            Mode::Garbage(bytes) => to.write_all(&bytes).await?,
            _ => to.write_all(&chunk[..n]).await?,
        }
    }
}

/// A listener on 127.0.0.1 that is no server. Dropping it stops it and closes its connections.
pub struct Listener {
    port: u16,
    task: AbortHandle,
}

impl Listener {
    /// Returns a listener that accepts, reads, and never answers.
    pub async fn silent() -> Self {
        Self::new(Some(Vec::new())).await
    }

    /// Returns a listener that accepts and closes at once.
    pub async fn closing() -> Self {
        Self::new(None).await
    }

    /// Returns a listener that sends `bytes` once to each new connection, then stays silent.
    pub async fn garbage(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Some(bytes.into())).await
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a listener that greets with these bytes, or closes.
    async fn new(greeting: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a bound address").port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let Some(greeting) = greeting.clone() else { continue };
                connections.spawn(swallow(stream, greeting));
            }
        });
        Self { port, task: task.abort_handle() }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn swallow(mut stream: TcpStream, greeting: Vec<u8>) {
    let _ = stream.write_all(&greeting).await;
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
