//! The client fred.

use bytes::Bytes;
use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::{Config, ConnectionConfig, PerformanceConfig, ReconnectError, ServerConfig};
use fred::types::{Builder, ClusterHash, CustomCommand};
use futures_util::future::{Either, select};
use std::future::poll_fn;
use std::task::Poll;

use super::dialer::{Dialer, Login, Place};
use super::value::{Fault, FaultKind, Value};
use crate::redis::task::AbortOnDrop;

pub(super) struct FredClient(Client);

/// The outcome of the client's task.
type Ended = Result<(), Error>;

pub(super) async fn dial(
    dialer: &Dialer,
    place: &Place,
    login: &Login,
) -> Result<(FredClient, AbortOnDrop<Ended>), Fault> {
    let client = builder(dialer, place, login).build()?;
    let mut connected = Box::pin(client.wait_for_connect());
    // The future listens from its first poll on, which must precede the attempt.
    poll_fn(|cx| {
        let _ = connected.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
    let mut driver = AbortOnDrop(client.connect());
    match select(connected, &mut driver.0).await {
        Either::Left((outcome, _)) => outcome?,
        Either::Right((Ok(Err(error)), _)) => return Err(error.into()),
        Either::Right(_) => return Err(super::broken()),
    }
    Ok((FredClient(client), driver))
}

/// Returns the reason why the connection ended.
pub(super) fn end(ended: Ended) -> Option<Fault> {
    ended.err().map(Fault::from)
}

fn builder(dialer: &Dialer, place: &Place, login: &Login) -> Builder {
    let server = match place {
        Place::Tcp { server, certified } => {
            let mut address = fred::types::config::Server::new(&*server.host, server.port);
            address.tls_server_name = certified.as_deref().map(Into::into);
            ServerConfig::Centralized { server: address }
        }
        Place::Unix(path) => ServerConfig::Unix { path: path.clone() },
    };
    // No reconnect policy: while fred reconnects, it accepts commands and lets them wait.
    let mut builder = Builder::from_config(Config {
        server,
        username: login.username.clone(),
        password: login.password.clone(),
        database: login.database,
        tls: dialer.tls.as_ref().map(|tls| fred::rustls::ClientConfig::clone(tls).into()),
        ..Config::default()
    });
    builder
        .set_performance_config(PerformanceConfig {
            default_command_timeout: dialer.command_timeout,
            ..PerformanceConfig::default()
        })
        .set_connection_config(ConnectionConfig {
            connection_timeout: dialer.connect_timeout,
            internal_command_timeout: dialer.connect_timeout,
            max_command_attempts: 1,
            // A rotated password shows on a live connection.
            reconnect_on_auth_error: true,
            // So does a primary that became a replica. Connecting again finds the new one.
            reconnect_errors: vec![ReconnectError::ReadOnly],
            ..ConnectionConfig::default()
        });
    builder
}

impl FredClient {
    pub(super) async fn get(&self, key: Bytes) -> Result<Option<Bytes>, Fault> {
        Ok(self.0.get(key).await?)
    }

    pub(super) async fn send(&self, command: &'static str, args: Vec<Value>) -> Result<Value, Fault> {
        // fred flushes each custom command by itself, and batches commands that it knows.
        let answer: fred::types::Value = match command {
            "MGET" => self.0.mget(keys(args)).await?,
            "UNLINK" => self.0.unlink(keys(args)).await?,
            // fred knows only one server here, and needs no slot.
            _ => self.0.custom(CustomCommand::new_static(command, ClusterHash::Random, false), args).await?,
        };
        Ok(answer.into())
    }

    pub(super) async fn quit(&self) {
        // A connection that can't quit is broken already.
        let _ = self.0.quit().await;
    }
}

fn keys(args: Vec<Value>) -> Vec<Bytes> {
    args.into_iter().filter_map(Value::into_bytes).collect()
}

impl From<Value> for fred::types::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Array(items) => Self::Array(items.into_iter().map(Into::into).collect()),
        }
    }
}

impl From<fred::types::Value> for Value {
    fn from(value: fred::types::Value) -> Self {
        use fred::types::Value as Theirs;
        match value {
            Theirs::Null => Self::Null,
            Theirs::Integer(number) => Self::Integer(number),
            Theirs::Array(items) => Self::Array(items.into_iter().map(Into::into).collect()),
            Theirs::String(text) => Self::Bytes(text.into_inner()),
            Theirs::Bytes(bytes) => Self::Bytes(bytes),
            other => other.into_bytes().map_or(Self::Null, Self::Bytes),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Timeout => FaultKind::Timeout,
            ErrorKind::IO | ErrorKind::Tls => FaultKind::Io,
            ErrorKind::Protocol => FaultKind::Protocol,
            ErrorKind::Url => FaultKind::Config,
            // These kinds have all answers of the server, and a few failures of fred itself.
            _ if is_answer(error.details()) => FaultKind::Server,
            ErrorKind::Config | ErrorKind::InvalidArgument | ErrorKind::InvalidCommand => FaultKind::Config,
            _ => FaultKind::Closed,
        };
        Self::new(kind, in_words(&error))
    }
}

/// Returns whether the text begins with a code in capitals, as errors of a server do.
fn is_answer(details: &str) -> bool {
    let code = details.split(' ').next().unwrap_or_default();
    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Returns the error as text. fred prints system errors as a struct: `Os { code: 111, … }`.
fn in_words(error: &Error) -> String {
    let code = error.details().strip_prefix("Os { code: ").and_then(|rest| rest.split(',').next()?.parse().ok());
    match code {
        Some(code) => std::io::Error::from_raw_os_error(code).to_string(),
        None => error.details().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_kind() {
        let check = |kind, details: &'static str, expect| {
            assert_eq!(Fault::from(Error::new(kind, details)), Fault::new(expect, details));
        };
        check(ErrorKind::Timeout, "Request timed out.", FaultKind::Timeout);
        check(ErrorKind::IO, "broken pipe", FaultKind::Io);
        check(ErrorKind::Tls, "InvalidCertificate(UnknownIssuer)", FaultKind::Io);
        check(ErrorKind::Canceled, "Canceled.", FaultKind::Closed);
        check(ErrorKind::Unknown, "Failed to send command to router.", FaultKind::Closed);
        check(ErrorKind::Protocol, "Expected string.", FaultKind::Protocol);
        check(ErrorKind::Unknown, "OOM command not allowed", FaultKind::Server);
        check(ErrorKind::InvalidArgument, "WRONGTYPE Operation against a key", FaultKind::Server);
        check(ErrorKind::Auth, "WRONGPASS invalid username-password pair", FaultKind::Server);
        check(ErrorKind::Cluster, "MOVED 1 h:1", FaultKind::Server);
        check(ErrorKind::Config, "ERR This instance has cluster support disabled", FaultKind::Server);
    }

    #[test]
    fn an_error_of_the_system_is_in_words() {
        let text = Fault::from(Error::from(std::io::Error::from_raw_os_error(111))).to_string();
        assert!(text.contains("111") && !text.contains('{'), "{text}");
    }

    #[test]
    fn texts_of_an_answer_are_bytes() {
        let theirs = fred::types::Value::Array(vec![
            "a".into(),
            fred::types::Value::Bytes(Bytes::from_static(b"\xff")),
            7.into(),
            fred::types::Value::Null,
        ]);
        let ours = vec!["a".into(), Value::Bytes(Bytes::from_static(b"\xff")), 7.into(), Value::Null];
        assert_eq!(Value::from(theirs), Value::Array(ours));
    }
}
