//! A connection for the time of one query.

use futures_util::FutureExt;
use mysql_async::Conn;

use crate::error::ExecuteError;

/// A connection for the time of one query. Dropped before that [`ended`](Self::ended), it closes the connection.
///
/// The pool would read the rest of the answer before it uses the connection again: all of it, with no limit on the time,
/// and with no room for another connection meanwhile.
pub(super) struct Session(Option<Conn>);

impl Session {
    pub(super) fn new(conn: Conn) -> Self {
        Self(Some(conn))
    }

    pub(super) fn conn(&mut self) -> Result<&mut Conn, ExecuteError> {
        // It's there until `ended`, which takes the session.
        self.0.as_mut().ok_or(ExecuteError::Closed)
    }

    /// The whole answer was read: the pool may have the connection back.
    pub(super) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            // Begun and dropped: from its beginning the driver counts the connection as broken, and the pool doesn't keep
            // it. Of all commands this one has no answer, so none can be left over for a later query to take for its own.
            let _ = conn.disconnect().now_or_never();
        }
    }
}
