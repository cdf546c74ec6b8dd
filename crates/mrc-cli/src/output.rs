//! stdout, which carries only the result, and stderr, which carries the rest.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::builder::styling::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::{Failure, redact};

/// Where a command writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    is_styled: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, is_styled: !json && !is_plain && io::stdout().is_terminal() }
    }

    /// Whether results are JSON documents, and stderr has nothing but errors.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Writes the result, and a line break.
    pub(crate) fn result(self, text: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        written(stdout.write_all(text).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()))
    }

    /// Writes the result as JSON.
    pub(crate) fn document(self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_vec(document);
        self.result(&text.map_err(|error| Failure::Other(format!("the result can't be written as JSON: {error}")))?)
    }

    /// Says something on stderr that isn't the result.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            say(text);
        }
    }

    /// Says on stderr what went wrong.
    pub(crate) fn failure(self, failure: &Failure) {
        let message = redact(&failure.to_string());
        if self.json {
            let error = serde_json::json!({ "error": { "kind": failure.kind(), "message": message } });
            say(&error.to_string());
        } else {
            say(&format!("error: {message}"));
        }
    }

    /// Shows on stderr that something goes on, where that is a terminal.
    pub(crate) fn spinner(self) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    /// A text in a style, where stdout is a terminal that shows it.
    pub(crate) fn styled(self, style: Style, text: &str) -> String {
        if self.is_styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// What came of writing to stdout. Whoever closed the pipe has read enough: that is no failure.
pub(crate) fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::stdout(&error)),
    }
}

fn say(text: &str) {
    // There is nobody left to tell when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
