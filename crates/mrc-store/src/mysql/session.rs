//! A connection for one call.

use std::sync::Arc;

use futures_util::FutureExt;
use mysql_async::Conn;
use tokio::sync::OwnedSemaphorePermit;

use super::pools::Home;
use crate::error::ExecuteError;

/// A connection for one call, with its permit.
///
/// If dropped before the call's end, it closes the connection and has the server end the query.
/// Then the permit returns. The pool would instead read the rest of the answer, without limit.
pub(super) struct Session(Option<Open>);

struct Open {
    // Dropped before the permit, so that the next owner of the permit finds the connection.
    conn: Conn,
    permit: OwnedSemaphorePermit,
    home: Arc<Home>,
}

impl Session {
    pub(super) fn new(conn: Conn, permit: OwnedSemaphorePermit, home: Arc<Home>) -> Self {
        Self(Some(Open { conn, permit, home }))
    }

    pub(super) fn conn(&mut self) -> Result<&mut Conn, ExecuteError> {
        // Present until one of the methods takes the session.
        self.0.as_mut().map(|open| &mut open.conn).ok_or(ExecuteError::Closed)
    }

    /// Returns the connection to the pool, after the whole answer was read.
    pub(super) fn ended(mut self) {
        self.0 = None;
    }

    /// Closes the connection, and waits until the server has ended its query or can't be asked.
    pub(super) async fn end(mut self) {
        if let Some(Open { conn, permit, home }) = self.0.take() {
            let (opts, id) = (conn.opts().clone(), conn.id());
            hang_up(conn);
            home.end_now(opts, id, permit).await;
        }
    }

    /// Closes a connection that is unusable, although nothing runs on it at the server.
    pub(super) fn close(mut self) {
        if let Some(Open { conn, permit, .. }) = self.0.take() {
            hang_up(conn);
            drop(permit);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(Open { conn, permit, home }) = self.0.take() {
            let (opts, id) = (conn.opts().clone(), conn.id());
            hang_up(conn);
            home.end(opts, id, permit);
        }
    }
}

fn hang_up(conn: Conn) {
    // Polling once suffices: the driver then counts the connection as broken, and the pool drops
    // it. This command has no answer, so a later query can't receive a leftover.
    let _ = conn.disconnect().now_or_never();
}
