//! Ends abandoned queries at the server.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};

/// A query that can't be ended counts no longer than this.
const GIVE_UP: Duration = Duration::from_secs(60);

/// The pauses between two attempts, doubled from the first value to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// The server doesn't know the connection: it has ended.
const UNKNOWN_THREAD: u16 = 1094;

/// The queries being ended, and the one connection for that, open from the first to the last.
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

    /// Ends the query on a connection that was closed here. `opts` are the connection's options.
    ///
    /// Returns when the query has ended, when the server can't be asked, or after the query limit.
    pub(super) async fn end(&self, opts: Opts, connection: u32) {
        let _counted = Counted::new(&self.count);
        let begun = Instant::now();
        let mut pause = PAUSES.0;
        // The first KILL may precede the query: repeat it until the connection is unknown.
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

    /// Returns whether the server still had the connection.
    async fn kill(&self, opts: &Opts, connection: u32) -> bool {
        let mut side = self.side.lock().await;
        let killed = timeout(self.connect_timeout, async {
            let mut conn = match side.take() {
                Some(conn) => conn,
                None => Conn::new(opts.clone()).await?,
            };
            let killed = conn.query_drop(format!("KILL QUERY {connection}")).await;
            // After an error of the server, the connection is still usable.
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

    /// Waits until no query is being ended.
    pub(super) async fn over(&self) {
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// Counts one query that is being ended, until it is dropped.
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
