//! A transaction on a connection of the callers' pool.

use std::fmt;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use mysql_async::Conn;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use tracing::Instrument;

use super::executor::{MySqlExecutor, leave, written};
use super::failure::{failed, is_whole};
use super::params::Call;
use super::session::Session;
use crate::driver::may_be_committed;
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction, span};

pub(super) struct MySqlTransaction {
    executor: MySqlExecutor,
    /// `None` after the end, and while a statement runs: so its cancellation ends the transaction.
    session: Option<Session>,
    /// Whether the last statement failed: after a deadlock, say, the server rolled back everything.
    in_doubt: bool,
}

pub(super) async fn begin(executor: MySqlExecutor) -> Result<MySqlTransaction, ExecuteError> {
    let home = executor.pools.here();
    let mut session = executor.session(&home, &home.callers).await?;
    let done = executor.within_limit(command(session.conn()?, "START TRANSACTION")).await;
    if done.is_err() {
        leave(session, &done);
        return Err(done.err().unwrap_or(ExecuteError::TransactionOver));
    }
    Ok(MySqlTransaction { executor, session: Some(session), in_doubt: false })
}

async fn command(conn: &mut Conn, text: &'static str) -> Result<(), ExecuteError> {
    conn.query_drop(text).await.map_err(failed)
}

/// Returns whether the last answer left a transaction open. Returns `None` after an error.
fn is_open(conn: &Conn) -> Option<bool> {
    conn.last_ok_packet().map(|ok| ok.status_flags().contains(StatusFlags::SERVER_STATUS_IN_TRANS))
}

impl MySqlTransaction {
    /// Takes the session if its transaction is open. It counts as ended until put back.
    async fn open(&mut self) -> Result<Session, ExecuteError> {
        let mut session = self.session.take().ok_or(ExecuteError::TransactionOver)?;
        if self.in_doubt {
            let conn = session.conn()?;
            let asked = self.executor.within_limit(async { conn.ping().await.map_err(failed) }).await;
            if asked.is_err() || is_open(conn) != Some(true) {
                return Err(ExecuteError::TransactionOver);
            }
            self.in_doubt = false;
        }
        Ok(session)
    }

    async fn run(&mut self, call: Call<'_>, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let mut session = self.open().await?;
        let executor = &self.executor;
        if let Err(error) = executor.within_limit(call.check_charset(session.conn()?)).await {
            if matches!(error, ExecuteError::Refused(_)) {
                self.session = Some(session);
            }
            return Err(error);
        }
        let done = executor.within_limit(executor.run(session.conn()?, call, rows)).await;
        let conn = session.conn()?;
        if is_whole(&done) || done.as_ref().is_err_and(|error| error.server().is_some()) {
            if is_open(conn) == Some(false) {
                // The session is closed: a transaction open in it may be another one.
                return done.and(Err(ExecuteError::TransactionOver));
            }
            self.in_doubt = done.is_err();
            let written = written(conn);
            self.session = Some(session);
            return done.map(|()| written);
        }
        done.map(|()| Executed::default())
    }
}

#[async_trait]
impl ExecutorTransaction for MySqlTransaction {
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let call = Call::new(self.executor.config().param_mode, sql, params, rows.format())?;
        let span = span::query(self.executor.pools.target(), sql);
        let done = self.run(call, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    async fn commit(mut self: Box<Self>) -> Result<(), ExecuteError> {
        let mut session = self.open().await?;
        let done = self.executor.within_limit(command(session.conn()?, "COMMIT")).await;
        match done {
            Err(error) if may_be_committed(&error) => {
                session.end().await;
                return Err(ExecuteError::CommitUnknown(Box::new(error)));
            }
            Err(_) => session.close(),
            Ok(()) => session.ended(),
        }
        done
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), ExecuteError> {
        let mut session = self.open().await?;
        let done = self.executor.within_limit(command(session.conn()?, "ROLLBACK")).await;
        leave(session, &done);
        done
    }
}

impl fmt::Debug for MySqlTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlTransaction").field("is_over", &self.session.is_none()).finish_non_exhaustive()
    }
}
