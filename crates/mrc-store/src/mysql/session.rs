//! A connection for the time of one call.

use std::sync::Arc;

use futures_util::FutureExt;
use mysql_async::Conn;
use tokio::sync::OwnedSemaphorePermit;

use super::pools::Home;
use crate::error::ExecuteError;

/// A connection for the time of one call, and the permit for it.
///
/// Dropped before its call has ended, it closes the connection, and has the server end what runs there: the permit comes
/// back when nothing does. The pool would read the rest of the answer instead, all of it, with no limit on the time.
pub(super) struct Session(Option<Open>);

struct Open {
    // Dropped before the permit: whoever gets the permit finds the connection.
    conn: Conn,
    permit: OwnedSemaphorePermit,
    home: Arc<Home>,
}

impl Session {
    pub(super) fn new(conn: Conn, permit: OwnedSemaphorePermit, home: Arc<Home>) -> Self {
        Self(Some(Open { conn, permit, home }))
    }

    pub(super) fn conn(&mut self) -> Result<&mut Conn, ExecuteError> {
        // It's there until one of the methods that take the session.
        self.0.as_mut().map(|open| &mut open.conn).ok_or(ExecuteError::Closed)
    }

    /// The whole answer was read: the pool may have the connection back.
    pub(super) fn ended(mut self) {
        self.0 = None;
    }

    /// Closes the connection, and returns when the server has ended what runs there, or can't be asked.
    pub(super) async fn end(mut self) {
        if let Some(Open { conn, permit, home }) = self.0.take() {
            let (opts, id) = (conn.opts().clone(), conn.id());
            hang_up(conn);
            home.end_now(opts, id, permit).await;
        }
    }

    /// Nothing runs at the server any more, but the connection is of no use.
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
    // Begun and dropped: from its beginning the driver counts the connection as broken, and the pool doesn't keep it.
    // Of all commands this one has no answer, so none can be left over for a later query to take for its own.
    let _ = conn.disconnect().now_or_never();
}
