//! Spans for Redis commands, by OpenTelemetry's database names, without values and keys (params).

use std::future::Future;

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::client::Fault;
use super::failure::code;
use super::link::Address;

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
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::redis::client::{FaultKind, Server};

    /// Records its events.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<String>>);

    impl Visit for Notes {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
        }
    }

    impl Subscriber for Notes {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, span: &Attributes<'_>) -> Id {
            span.record(&mut self.clone());
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut self.clone());
        }
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn spans_name_the_command_the_server_and_the_failure() {
        let notes = Notes::default();
        let _guard = tracing::subscriber::set_default(notes.clone());
        let address = Address { name: "h:7".into(), server: Some(Server::new("h", 7)) };
        let refused = async { Err::<(), _>(Fault::new(FaultKind::Server, "OOM command not allowed: key-with-params")) };
        traced(&address, "EVALSHA", Some("claim"), refused).await.unwrap_err();
        assert_eq!(
            *notes.0.lock().unwrap(),
            "otel.name=\"EVALSHA\" otel.kind=\"client\" db.system.name=\"redis\" db.operation.name=\"EVALSHA\" \
             db.stored_procedure.name=\"claim\" server.address=\"h\" server.port=7 error.type=\"OOM\" otel.status_code=\"ERROR\" "
        );
    }
}
