//! Ends at the server what nobody waits for any more.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};

/// After this time a query that can't be ended doesn't count any more.
const GIVE_UP: Duration = Duration::from_secs(60);

/// The pauses between two looks, doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// The server knows no such connection: it ended.
const UNKNOWN_THREAD: u16 = 1094;

/// The queries that are being ended, and the one connection that this takes. It is opened for the first, and closed after
/// the last.
#[derive(Debug)]
pub(super) struct Endings {
    connect_timeout: Duration,
    give_up: Duration,
    side: Mutex<Option<Conn>>,
    count: watch::Sender<usize>,
}

impl Endings {
    pub(super) fn new(connect_timeout: Duration, query_timeout: Duration) -> Self {
        let (give_up, count) = (query_timeout.min(GIVE_UP), watch::Sender::new(0));
        Self { connect_timeout, give_up, side: Mutex::default(), count }
    }

    /// Ends the query that runs on this connection, which was closed, and opened with these options. Returns when the server has none any more, when it
    /// can't be asked, or after the time that a query may take.
    pub(super) async fn end(&self, opts: Opts, connection: u32) {
        let _counted = Counted::new(&self.count);
        let begun = Instant::now();
        let mut pause = PAUSES.0;
        // The first KILL may come before the query has begun, so it's repeated until the server knows no such connection.
        while self.kill(&opts, connection).await && begun.elapsed() < self.give_up {
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        if *self.count.borrow() == 1
            && let Some(conn) = self.side.lock().await.take()
        {
            let _ = timeout(self.connect_timeout, conn.disconnect()).await;
        }
    }

    /// Whether the server still had that connection.
    async fn kill(&self, opts: &Opts, connection: u32) -> bool {
        let mut side = self.side.lock().await;
        let killed = timeout(self.connect_timeout, async {
            let mut conn = match side.take() {
                Some(conn) => conn,
                None => Conn::new(opts.clone()).await?,
            };
            let killed = conn.query_drop(format!("KILL QUERY {connection}")).await;
            // After an error of the server the connection is whole.
            if matches!(killed, Ok(()) | Err(Error::Server(_))) {
                *side = Some(conn);
            }
            killed
        });
        match killed.await {
            Ok(Ok(())) => true,
            Ok(Err(Error::Server(error))) if error.code == UNKNOWN_THREAD => false,
            Ok(Err(error)) => {
                tracing::debug!(target: "mrc", %error, "a cancelled query can't be ended at the server");
                false
            }
            Err(_) => false,
        }
    }

    /// Waits until nothing is being ended.
    pub(super) async fn over(&self) {
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// One more that is being ended, until it's dropped.
struct Counted<'a>(&'a watch::Sender<usize>);

impl<'a> Counted<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
