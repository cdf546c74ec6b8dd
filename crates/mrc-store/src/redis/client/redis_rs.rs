//! The client redis-rs.
//!
//! The connection is opened here, because redis-rs would take rustls' process-wide provider, which
//! a program may lack. The login is here too, because redis-rs hides the server's answer to AUTH.

use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, ServerError};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::dialer::{Dialer, Login, Place};
use super::value::{Fault, FaultKind, Value};
use crate::redis::task::AbortOnDrop;

/// The number of commands that may wait to be written. redis-rs's 50 cost 5 to 10 % more CPU a
/// call.
const COMMANDS_WAITING: usize = 1_024;

pub(super) struct RedisRsClient {
    connection: MultiplexedConnection,
    limit: Duration,
}

pub(super) async fn dial(
    dialer: &Dialer,
    place: &Place,
    login: &Login,
) -> Result<(RedisRsClient, AbortOnDrop<()>), Fault> {
    match place {
        Place::Tcp { server, certified } => {
            let stream = TcpStream::connect((server.bare_host(), server.port)).await?;
            stream.set_nodelay(true)?;
            let Some(tls) = &dialer.tls else { return start(dialer, stream, login).await };
            let name = certified.as_deref().unwrap_or(server.bare_host()).to_owned();
            let name = ServerName::try_from(name).map_err(|error| Fault::new(FaultKind::Config, error.to_string()))?;
            let stream = TlsConnector::from(tls.clone()).connect(name, stream).await?;
            start(dialer, stream, login).await
        }
        #[cfg(unix)]
        Place::Unix(path) => start(dialer, tokio::net::UnixStream::connect(path).await?, login).await,
        #[cfg(not(unix))]
        Place::Unix(_) => Err(Fault::new(FaultKind::Config, "this system has no unix sockets")),
    }
}

async fn start<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    dialer: &Dialer,
    stream: S,
    login: &Login,
) -> Result<(RedisRsClient, AbortOnDrop<()>), Fault> {
    let info = RedisConnectionInfo::default().set_skip_set_lib_name();
    // The time-out of a command is ours, so that it means the same with every client.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(COMMANDS_WAITING);
    let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
    let driver = AbortOnDrop(tokio::spawn(driver));
    let mut client = RedisRsClient { connection, limit: dialer.connect_timeout };
    client.log_in(login).await?;
    client.limit = dialer.command_timeout;
    Ok((client, driver))
}

impl RedisRsClient {
    async fn log_in(&self, login: &Login) -> Result<(), Fault> {
        match (&login.username, &login.password) {
            (Some(user), Some(password)) => {
                self.send("AUTH", vec![user.as_str().into(), password.as_str().into()]).await?
            }
            (None, Some(password)) => self.send("AUTH", vec![password.as_str().into()]).await?,
            // A server that accepts connections may still be unable to answer.
            (_, None) => self.send("PING", Vec::new()).await?,
        };
        if let Some(database) = login.database {
            self.send("SELECT", vec![i64::from(database).into()]).await?;
        }
        Ok(())
    }

    pub(super) async fn get(&self, key: Bytes) -> Result<Option<Bytes>, Fault> {
        let mut command = Cmd::with_capacity(2, key.len() + 3);
        command.arg("GET").arg(&*key);
        match self.answer(&command).await? {
            redis::Value::Nil => Ok(None),
            redis::Value::BulkString(value) => Ok(Some(value.into())),
            redis::Value::ServerError(error) => Err(error.into()),
            _ => Err(Fault::new(FaultKind::Protocol, "the answer to GET can't be read")),
        }
    }

    pub(super) async fn send(&self, name: &'static str, args: Vec<Value>) -> Result<Value, Fault> {
        let size: usize = args.iter().map(|arg| if let Value::Bytes(bytes) = arg { bytes.len() } else { 20 }).sum();
        let mut command = Cmd::with_capacity(1 + args.len(), name.len() + size);
        command.arg(name);
        for arg in args {
            match arg {
                Value::Integer(number) => command.arg(number),
                Value::Bytes(bytes) => command.arg(&*bytes),
                Value::Null | Value::Array(_) => {
                    return Err(Fault::new(FaultKind::Config, "only texts and numbers can be arguments"));
                }
            };
        }
        self.answer(&command).await?.try_into()
    }

    pub(super) async fn quit(&self) {
        // A connection that can't quit is broken already.
        let _ = self.send("QUIT", Vec::new()).await;
    }

    async fn answer(&self, command: &Cmd) -> Result<redis::Value, Fault> {
        let mut connection = self.connection.clone();
        match tokio::time::timeout(self.limit, connection.send_packed_command(command)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Fault::new(FaultKind::Timeout, "no answer in time")),
        }
    }
}

impl TryFrom<redis::Value> for Value {
    type Error = Fault;

    fn try_from(value: redis::Value) -> Result<Self, Fault> {
        Ok(match value {
            redis::Value::Nil => Self::Null,
            redis::Value::Int(number) => Self::Integer(number),
            redis::Value::BulkString(bytes) => Self::Bytes(bytes.into()),
            redis::Value::SimpleString(text) => Self::Bytes(text.into()),
            redis::Value::Okay => Self::Bytes(Bytes::from_static(b"OK")),
            redis::Value::Array(items) => Self::Array(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?),
            redis::Value::ServerError(error) => return Err(error.into()),
            _ => return Err(Fault::new(FaultKind::Protocol, "an answer has a type that RESP2 lacks")),
        })
    }
}

impl From<ServerError> for Fault {
    fn from(error: ServerError) -> Self {
        let text = match error.details() {
            Some(details) => format!("{} {details}", error.code()),
            None => error.code().to_owned(),
        };
        Self::new(FaultKind::Server, text)
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Io => FaultKind::Io,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => FaultKind::Protocol,
            ErrorKind::InvalidClientConfig => FaultKind::Config,
            _ => FaultKind::Closed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::new(FaultKind::Io, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn read(wire: &str) -> Result<Value, Fault> {
        parse_redis_value(wire.as_bytes()).unwrap().try_into()
    }

    #[test]
    fn answers_are_read() {
        let check = |wire, expect| assert_eq!(read(wire), Ok(expect), "{wire:?}");
        check("+OK\r\n", "OK".into());
        check("+PONG\r\n", "PONG".into());
        check(":7\r\n", 7.into());
        check("$1\r\na\r\n", "a".into());
        check("$-1\r\n", Value::Null);
        check("*-1\r\n", Value::Null);
        check("*2\r\n:1\r\n*1\r\n$0\r\n\r\n", Value::Array(vec![1.into(), Value::Array(vec!["".into()])]));
    }

    #[test]
    fn errors_of_the_server_keep_their_text() {
        let check = |text: &'static str| {
            let fault = read(&format!("-{text}\r\n")).unwrap_err();
            assert_eq!(fault, Fault::new(FaultKind::Server, text));
        };
        check("MOVED 3999 127.0.0.1:6381");
        check("WRONGPASS invalid username-password pair or user is disabled.");
        check("OOM command not allowed when used memory > 'maxmemory'.");
        check("NOSCRIPT No matching script. Please use EVAL.");
        check("UNKNOWN");
        let inside = read("*2\r\n:1\r\n-OOM full\r\n");
        assert_eq!(inside, Err(Fault::new(FaultKind::Server, "OOM full")));
    }
}
