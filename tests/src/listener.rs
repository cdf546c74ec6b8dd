//! Servers that misbehave from the first byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A listener on 127.0.0.1 that is no server. It stops when it's dropped, and its connections close.
pub struct Listener {
    port: u16,
    task: AbortHandle,
}

impl Listener {
    /// Accepts, reads, and never answers.
    pub async fn silent() -> Self {
        Self::new(|stream| Box::pin(swallow(stream))).await
    }

    /// Accepts and closes at once.
    pub async fn closing() -> Self {
        Self::new(|stream| {
            drop(stream);
            Box::pin(std::future::ready(()))
        })
        .await
    }

    /// Answers with `bytes` once as soon as somebody connects, then stays silent.
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

    /// The port.
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
