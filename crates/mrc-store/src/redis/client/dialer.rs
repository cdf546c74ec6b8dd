//! The settings of connections.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::choice::RedisClient;

/// Connects to servers with the same settings.
#[derive(Clone)]
pub(in crate::redis) struct Dialer {
    pub(in crate::redis) client: RedisClient,
    pub(in crate::redis) tls: Option<Arc<ClientConfig>>,
    pub(in crate::redis) connect_timeout: Duration,
    pub(in crate::redis) command_timeout: Duration,
}
