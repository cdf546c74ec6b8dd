//! The parts that all clones of a client share, and the read of a query from the database.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mrc_core::{Event, KeyScheme, Params, RowEncoder, RowFormat};
use mrc_store::{ExecuteError, Executed, Invalidator, QueryExecutor};

use super::bulkhead::Bulkhead;
use super::outbox::Outbox;
use super::texts::Texts;
use crate::compute::{Compute, Made};
use crate::error::{Error, Result};
use crate::frame::Said;
use crate::inherited::StoreId;
use crate::pipeline::Pipeline;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct ClientInner {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) executor: Option<Arc<dyn QueryExecutor>>,
    #[cfg(feature = "mysql")]
    pub(crate) mysql: Option<Arc<mrc_store::MySqlExecutor>>,
    pub(crate) texts: Texts,
    pub(crate) keys: KeyScheme,
    pub(crate) rows: RowFormat,
    pub(crate) invalidator: Invalidator,
    pub(crate) outbox: Option<Outbox>,
    pub(crate) settings: Settings,
}

impl ClientInner {
    pub(crate) async fn read(&self, sql: &str, params: &Params, trusted: bool) -> Result<Bytes> {
        let rows = self.read_into(RowEncoder::new(self.rows), sql, params, trusted).await?;
        Ok(rows.finish().map_err(ExecuteError::from)?)
    }

    /// Runs a read in its turn, and returns the encoder with its rows.
    pub(crate) async fn read_into(
        &self,
        mut rows: RowEncoder,
        sql: &str,
        params: &Params,
        trusted: bool,
    ) -> Result<RowEncoder> {
        let turn = self.bulkhead.turn().await;
        if let Err(Error::Overloaded { waiting }) = turn {
            self.pipeline.events.emit(&Event::Overloaded { waiting });
        }
        let _turn = turn?;
        let executor = self.executor()?;
        if trusted {
            executor.query_trusted(sql, params, &mut rows).await?;
        } else {
            executor.query(sql, params, &mut rows).await?;
        }
        Ok(rows)
    }

    pub(crate) fn executor(&self) -> Result<&dyn QueryExecutor> {
        self.executor.as_deref().ok_or(Error::NoDatabase)
    }

    pub(crate) async fn execute(&self, sql: &str, params: &Params) -> Result<(RowEncoder, Executed)> {
        params.check()?;
        let mut rows = RowEncoder::new(self.rows);
        let executed = self.executor()?.execute(sql, params, &mut rows).await?;
        Ok((rows, executed))
    }
}

pub(crate) struct Read<'a> {
    pub(super) client: &'a Arc<ClientInner>,
    pub(super) sql: &'a str,
    pub(super) params: Cow<'a, Params>,
    /// Whether the caller vouches that it only reads.
    pub(super) trusted: bool,
}

impl Read<'_> {
    async fn read(self) -> Result<Made> {
        Ok(Made { value: self.client.read(self.sql, &self.params, self.trusted).await?, said: Said::default() })
    }
}

impl Compute for Read<'_> {
    const TAGS: bool = false;

    fn run(self, _: StoreId, _: &str) -> impl Future<Output = Result<Made>> {
        self.read()
    }

    fn detached(&self) -> Option<BoxFuture<'static, Result<Made>>> {
        let (client, sql, params) = (Arc::clone(self.client), self.sql.to_owned(), self.params.clone().into_owned());
        let (trusted, params) = (self.trusted, Cow::Owned(params));
        Some(Box::pin(async move { Read { client: &client, sql: &sql, params, trusted }.read().await }))
    }
}
