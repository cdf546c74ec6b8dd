//! The failure of a command or of a connection, whichever client had it.

use std::borrow::Cow;
use std::fmt;

/// The failure of a command or of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::redis) struct Fault {
    kind: FaultKind,
    text: Cow<'static, str>,
}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::redis) enum FaultKind {
    /// There was no answer in time. The command may still take effect.
    Timeout,
    /// The connection has ended, or none could be made.
    Closed,
    /// The operating system or TLS reported a failure of the connection.
    Io,
    /// An answer couldn't be read.
    Protocol,
    /// The settings can't work.
    Config,
    /// The server answered with an error. The text is the server's own.
    Server,
}

impl Fault {
    pub(in crate::redis) fn new(kind: FaultKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(in crate::redis) fn kind(&self) -> FaultKind {
        self.kind
    }

    pub(in crate::redis) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the first word, which is the server's own code in an answer of the server.
    pub(in crate::redis) fn first_word(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }
}

impl FaultKind {
    /// Returns the kind's name in traces.
    pub(in crate::redis) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Io => "io",
            Self::Protocol => "protocol",
            Self::Config => "config",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}
