//! The primary that sentinels watch, found by commands to any of them.

use std::sync::Mutex;

use futures_util::future::select_ok;

use super::client::{Client, Dialer, Fault, FaultKind, Login, Server, Value};
use crate::lock::lock;

#[derive(Clone)]
pub(super) struct SentinelConfig {
    pub(super) hosts: Vec<Server>,
    /// The name under which the sentinels know the primary.
    pub(super) service: String,
    pub(super) login: Login,
}

/// The sentinels of a primary, also those that the others named.
pub(super) struct Sentinels {
    config: SentinelConfig,
    known: Mutex<Vec<Server>>,
}

impl Sentinels {
    pub(super) fn new(config: SentinelConfig) -> Self {
        Self { known: Mutex::new(config.hosts.clone()), config }
    }

    /// Returns the primary of the first sentinel to answer: one that is cut off may be silent.
    pub(super) async fn primary(&self, dialer: &Dialer) -> Result<Server, Fault> {
        let known = lock(&self.known).clone();
        let asks = known.iter().map(|sentinel| Box::pin(self.ask(dialer, sentinel)));
        let ((primary, others), _) = select_ok(asks).await?;
        let mut known = self.config.hosts.clone();
        known.extend(others.into_iter().filter(|other| !self.config.hosts.contains(other)));
        *lock(&self.known) = known;
        Ok(primary)
    }

    /// Returns the primary and the other sentinels that one sentinel knows.
    async fn ask(&self, dialer: &Dialer, sentinel: &Server) -> Result<(Server, Vec<Server>), Fault> {
        let (client, _end) = dialer.dial(&sentinel.clone().into(), &self.config.login).await?;
        let ask = |what: &str| client.send("SENTINEL", vec![what.into(), self.config.service.as_str().into()]);
        let primary = ask("get-master-addr-by-name").await?.into_array().into_iter();
        let primary = address(primary).ok_or_else(|| {
            Fault::new(FaultKind::Closed, format!("the sentinel {sentinel} knows no primary of this name"))
        })?;
        let others = ask("sentinels").await.map(Value::into_array).unwrap_or_default();
        Ok((primary, others.into_iter().filter_map(listed).collect()))
    }
}

/// Fails unless the server is a primary: a sentinel may not know yet that it lost its role.
pub(super) async fn check_role(client: &Client) -> Result<(), Fault> {
    let role = client.send("ROLE", Vec::new()).await?.into_array().into_iter().next().and_then(Value::into_string);
    match role.as_deref() {
        Some("master") => Ok(()),
        _ => Err(Fault::new(FaultKind::Closed, "the server that the sentinels name isn't a primary")),
    }
}

/// Reads `host, port`.
fn address(mut answer: impl Iterator<Item = Value>) -> Option<Server> {
    let (host, port) = (answer.next()?.into_string()?, answer.next()?.as_u64()?);
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(Server::new(host, port.try_into().ok()?))
}

/// Reads a sentinel from `name, value, name, value, …`.
fn listed(sentinel: Value) -> Option<Server> {
    let fields = sentinel.into_array();
    let field = |name: &str| {
        let pair = fields.chunks_exact(2).find(|pair| matches!(pair, [key, _] if key == &Value::from(name)))?;
        pair.last().cloned()
    };
    address([field("ip")?, field("port")?].into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_sentinel_are_read() {
        let check = |answer: &[&str], expect: Option<&str>| {
            let server = address(answer.iter().map(|part| Value::from(*part)));
            assert_eq!(server.map(|server| server.to_string()).as_deref(), expect, "{answer:?}");
        };
        check(&["10.0.0.1", "6379"], Some("10.0.0.1:6379"));
        check(&["::1", "6379"], Some("[::1]:6379"));
        check(&["10.0.0.1", "port"], None);
        check(&[], None);
        assert_eq!(address(Value::Null.into_array().into_iter()), None, "the answer to an unknown name");
        let fields = ["name", "abc", "ip", "10.0.0.2", "port", "26379", "runid", "ip"].map(Value::from);
        assert_eq!(listed(Value::Array(fields.to_vec())), Some(Server::new("10.0.0.2", 26379)));
        assert_eq!(listed(Value::Null), None);
    }
}
