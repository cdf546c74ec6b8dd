//! Spans for Redis commands, by OpenTelemetry's database names, without values and keys (params).

use std::future::Future;

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::client::{Fault, Value};
use super::failure::code;
use super::link::{Address, Connection};

/// Runs a command in a span of its own.
pub(super) async fn traced<T>(
    address: &Address,
    operation: &'static str,
    script: Option<&'static str>,
    command: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let span = span(address, operation, script);
    let outcome = command.instrument(span.clone()).await;
    if let Err(fault) = &outcome {
        span.record("error.type", code(fault)).record("otel.status_code", "ERROR");
    }
    outcome
}

impl Connection {
    /// Sends a command in a span of its own.
    pub(super) async fn send(&self, command: &'static str, args: Vec<Value>) -> Result<Value, Fault> {
        traced(&self.address, command, None, self.client.send(command, args)).await
    }
}

fn span(address: &Address, operation: &'static str, script: Option<&'static str>) -> Span {
    let server = address.server.as_ref();
    debug_span!(
        target: "mrc",
        "redis",
        otel.name = operation,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "redis",
        db.operation.name = operation,
        db.stored_procedure.name = script,
        server.address = server.map_or(address.name.as_str(), |server| &server.host),
        server.port = server.map(|server| server.port),
        error.type = Empty,
    )
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::set_default;

    use super::*;
    use crate::executor::span::tests::Spans;
    use crate::redis::client::{FaultKind, Server};

    #[tokio::test]
    async fn spans_name_the_command_the_server_and_the_failure() {
        let spans = Spans::default();
        let _listening = set_default(spans.clone());
        let address = Address { name: "h:7".into(), server: Some(Server::new("h", 7)) };
        let refused = async { Err::<(), _>(Fault::new(FaultKind::Server, "OOM command not allowed: key-with-params")) };
        traced(&address, "EVALSHA", Some("claim"), refused).await.unwrap_err();
        assert_eq!(
            spans.of_one(),
            "db.operation.name=EVALSHA db.stored_procedure.name=claim db.system.name=redis error.type=OOM \
             otel.kind=client otel.name=EVALSHA otel.status_code=ERROR server.address=h server.port=7 "
        );
    }
}
