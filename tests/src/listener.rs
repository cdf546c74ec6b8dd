//! Servers that misbehave from the first byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A listener on 127.0.0.1 that is no server. Dropping it stops it and closes its connections.
pub struct Listener {
    port: u16,
    task: AbortHandle,
}

impl Listener {
    /// Returns a listener that accepts, reads, and never answers.
    pub async fn silent() -> Self {
        Self::new(|stream| Box::pin(swallow(stream))).await
    }

    /// Returns a listener that accepts and closes at once.
    pub async fn closing() -> Self {
        Self::new(|stream| {
            drop(stream);
            Box::pin(std::future::ready(()))
        })
        .await
    }

    /// Returns a listener that sends `bytes` once to each new connection, then stays silent.
    pub async fn garbage(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |mut stream| {
            let bytes = bytes.clone();
            Box::pin(async move {
                let _ = stream.write_all(&bytes).await;
                swallow(stream).await;
            })
        })
        .await
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    async fn new(serve: impl Fn(TcpStream) -> BoxedTask + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a bound address").port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream));
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

type BoxedTask = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn swallow(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
