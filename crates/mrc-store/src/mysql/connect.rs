//! A connection outside of the pools.

use mysql_async::{Conn, Error};

use super::config::MySqlConfig;
use super::failure::{connecting, failed, refuse};
use crate::driver::within;
use crate::error::ExecuteError;

impl MySqlConfig {
    /// Opens a connection outside of the pools, for a session of your own: a stream of the binlog,
    /// a lock. [`query_timeout`](Self::query_timeout) doesn't apply to it.
    ///
    /// # Errors
    /// - [`ExecuteError::Config`]: a setting can't be used, or the configuration is a caller's pool.
    /// - [`ExecuteError::Timeout`]: it took longer than [`connect_timeout`](Self::connect_timeout).
    /// - The errors of the server.
    pub async fn connect(&self) -> Result<Conn, ExecuteError> {
        if self.pool.is_some() {
            return Err(refuse("a connection of its own needs the host and the user, and no pool"));
        }
        let opts = self.opts(false, "SET autocommit = 1, NAMES utf8mb4".into())?;
        let opened = async { Conn::new(opts).await.map_err(failed) };
        let address = self.socket.clone().unwrap_or_else(|| format!("{}:{}", self.host, self.port));
        within("connecting to the database", self.connect_timeout, opened)
            .await
            .map_err(|error| connecting(Some(address), error))
    }
}

impl From<Error> for ExecuteError {
    /// Converts the driver's error: see [`ExecuteError::server`] for the server's code.
    fn from(error: Error) -> Self {
        failed(error)
    }
}
