//! The wire to Redis, which delays and cuts off replies, and sends commands late or twice.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::Builder;
use fred::types::config::{Config, ReconnectPolicy};
use fred::util::sha1_hash;
use mrc_tests::redis_command;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Res;
use crate::items::{COMMAND_TIMEOUT, draw_pause};
use crate::lack;
use crate::record::Count;
use crate::sink::History;

/// The time that a server has to execute its commands after the client was cut off.
const DRAIN: Duration = Duration::from_millis(500);

/// The wire. It stops when its task does.
pub(crate) struct Wire {
    server: u16,
    /// Scripts that may run twice, with their hashes.
    repeatable: HashMap<Vec<u8>, Count>,
    history: Arc<History>,
    rng: Mutex<SmallRng>,
    /// Our side of the connections to the server, by which the server knows them.
    open: Mutex<HashSet<SocketAddr>>,
}

/// A fault that happens to a batch of commands.
enum Fault {
    Delay(Duration),
    /// The commands are sent; the client is cut off from the replies.
    Cut,
    /// The client is cut off first. The commands are sent after this time.
    Late(Duration),
}

impl Wire {
    pub(crate) fn new(server: u16, seed: u64, history: Arc<History>) -> Res<Arc<Self>> {
        let both =
            |(script, kind): (String, Count)| [(sha1_hash(&script).into_bytes(), kind), (script.into_bytes(), kind)];
        let repeatable = lack::repeatable()?.into_iter().flat_map(both).collect();
        let rng = Mutex::new(SmallRng::seed_from_u64(seed));
        Ok(Arc::new(Self { server, repeatable, history, rng, open: Mutex::default() }))
    }

    /// Returns one of the open connections, as the server knows it.
    pub(crate) fn any_connection(&self) -> Option<SocketAddr> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.draw(|rng| rng.random_range(0..open.len().max(1)));
        open.iter().nth(at).copied()
    }

    /// Serves clients, until it is dropped.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let wire = Arc::clone(&self);
            connections.spawn(async move {
                // A broken connection is no error here: the wire breaks them itself.
                let _ = wire.connection(client).await;
            });
            while connections.try_join_next().is_some() {}
        }
    }

    fn draw<T>(&self, from: impl FnOnce(&mut SmallRng) -> T) -> T {
        from(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn connection(self: &Arc<Self>, mut client: TcpStream) -> std::io::Result<()> {
        let mut server = TcpStream::connect(("127.0.0.1", self.server)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let address = server.local_addr()?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
        let late = {
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            tokio::select! {
                late = self.requests(&mut from_client, &mut to_server) => late,
                _ = self.answers(&mut from_server, &mut to_client) => Ok(None),
            }
        };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
        drop(client);
        if let Some((wait, commands)) = late? {
            tokio::time::sleep(wait).await;
            server.write_all(&commands).await?;
            drain(server).await;
        }
        Ok(())
    }

    /// Runs until the client ends or is to be cut off. Returns the unsent bytes and their delay.
    async fn requests(
        self: &Arc<Self>,
        from: &mut (impl AsyncReadExt + Unpin),
        to: &mut (impl AsyncWriteExt + Unpin),
    ) -> std::io::Result<Option<(Duration, Vec<u8>)>> {
        let (mut pending, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let n = from.read(&mut chunk).await?;
            if n == 0 {
                return Ok(None);
            }
            pending.extend_from_slice(&chunk[..n]);
            let (mut end, mut of_index, mut in_gap) = (0, false, false);
            while let Some((parts, after)) = redis_command(&pending, end) {
                let part = |n: usize| parts.get(n).and_then(|part| pending.get(part.clone())).unwrap_or_default();
                let kind = self.kind(part(0), part(1));
                // A fill of an entry with tags has four keys.
                let is_tagged_fill = kind == Some(Count::FillDoubled) && part(2) == b"4";
                in_gap |= is_tagged_fill || kind == Some(Count::DropDoubled);
                if let Some(kind) = kind {
                    of_index |= kind.is_of_index();
                    self.perhaps_twice(kind, &pending[end..after]);
                }
                end = after;
            }
            let rest = pending.split_off(end);
            let batch = std::mem::replace(&mut pending, rest);
            // Between a registration and its fill, or an invalidation and its removals: short gaps.
            if in_gap && self.draw(|rng| rng.random_ratio(1, 10)) {
                self.history.count(Count::InGap);
                tokio::time::sleep(self.draw(|rng| draw_pause(rng, 30))).await;
            }
            let fault = self.draw(draw_fault);
            if of_index && matches!(fault, Some(Fault::Cut | Fault::Late(_))) {
                self.history.count(Count::IndexCut);
            }
            match fault {
                Some(Fault::Delay(delay)) => {
                    self.history.count(Count::Delayed);
                    tokio::time::sleep(delay).await;
                }
                Some(Fault::Cut) => {
                    self.history.count(Count::Cut);
                    to.write_all(&batch).await?;
                    return Ok(Some((Duration::ZERO, Vec::new())));
                }
                Some(Fault::Late(wait)) => {
                    self.history.count(Count::Late);
                    return Ok(Some((wait, batch)));
                }
                None => {}
            }
            to.write_all(&batch).await?;
        }
    }

    async fn answers(
        &self,
        from: &mut (impl AsyncReadExt + Unpin),
        to: &mut (impl AsyncWriteExt + Unpin),
    ) -> std::io::Result<()> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let n = from.read(&mut chunk).await?;
            if n == 0 {
                return Ok(());
            }
            if let Some(Fault::Delay(delay)) = self.draw(draw_fault) {
                self.history.count(Count::Delayed);
                tokio::time::sleep(delay).await;
            }
            to.write_all(&chunk[..n]).await?;
        }
    }

    /// Returns the kind of a command that may run twice.
    fn kind(&self, command: &[u8], script: &[u8]) -> Option<Count> {
        match command {
            b"UNLINK" => Some(Count::RemovalDoubled),
            b"SET" => Some(Count::FillDoubled),
            b"EVALSHA" | b"EVAL" => self.repeatable.get(script).copied(),
            _ => None,
        }
    }

    /// Sometimes sends such a command a second time, much later.
    fn perhaps_twice(&self, kind: Count, command: &[u8]) {
        if !self.draw(|rng| rng.random_ratio(1, 20)) {
            return;
        }
        self.history.count(kind);
        let (delay, server) = (self.draw(|rng| draw_pause(rng, 500)), self.server);
        let again = command.to_vec();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await
                && server.write_all(&again).await.is_ok()
            {
                let _ = tokio::time::timeout(DRAIN, server.read(&mut [0; 64])).await;
            }
        });
    }
}

fn draw_fault(rng: &mut SmallRng) -> Option<Fault> {
    match rng.random_range(0..10_000) {
        0..20 => Some(Fault::Delay(draw_pause(rng, 40))),
        20 => Some(Fault::Delay(COMMAND_TIMEOUT.mul_f64(rng.random_range(1.0..2.5)))),
        21..24 => Some(Fault::Cut),
        24..27 => Some(Fault::Late(draw_pause(rng, 500))),
        _ => None,
    }
}

/// Reads the replies that nobody waits for, so that the server executes all that it was sent.
async fn drain(mut server: TcpStream) {
    let _ = tokio::time::timeout(DRAIN, async {
        let mut chunk = vec![0; 4_096];
        while let Ok(1..) = server.read(&mut chunk).await {}
    })
    .await;
}

/// Returns a client for commands of the checker alone.
pub(crate) async fn redis(port: u16, timeout: Duration) -> Res<Client> {
    let builder = builder(port, timeout)?;
    let mut attempts = 0;
    loop {
        let client = builder.build()?;
        match client.init().await {
            Ok(_) => return Ok(client),
            // The wire has faults from the first command on.
            Err(_) if attempts < 20 => attempts += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

pub(crate) fn builder(port: u16, timeout: Duration) -> Res<Builder> {
    let mut builder = Builder::from_config(Config::from_url(&format!("redis://127.0.0.1:{port}"))?);
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    builder.with_performance_config(|config| config.default_command_timeout = timeout);
    builder.with_connection_config(|config| config.max_command_attempts = 1);
    Ok(builder)
}
