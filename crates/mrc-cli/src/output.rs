//! stdout carries only the result, stderr carries everything else.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::builder::styling::Style;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::{Failure, redact};

/// The streams that a command writes to.
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

    /// Returns whether results are JSON documents, and stderr carries only errors.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    pub(crate) fn result(self, text: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        written(stdout.write_all(text).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()))
    }

    pub(crate) fn document(self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_vec(document);
        self.result(&text.map_err(|error| Failure::Other(format!("the result can't be written as JSON: {error}")))?)
    }

    /// Writes a note to stderr, unless results are JSON.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            say(text);
        }
    }

    pub(crate) fn failure(self, failure: &Failure) {
        let message = redact(&failure.to_string());
        if self.json {
            let error = serde_json::json!({ "error": { "kind": failure.kind_and_code().0, "message": message } });
            say(&error.to_string());
        } else {
            say(&format!("error: {message}"));
        }
    }

    /// Returns a spinner on stderr. The spinner is hidden if stderr is no terminal.
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

    /// Returns a text in a style, if stdout is a terminal that shows styles.
    pub(crate) fn styled(self, style: Style, text: &str) -> String {
        if self.is_styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Returns `1 row`, `1,234 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    plural(count, noun, &format!("{noun}s"))
}

pub(crate) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { one } else { many })
}

/// Returns the outcome of a write to stdout. A closed pipe is no failure: its reader has enough.
pub(crate) fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::Other(format!("stdout can't be written: {error}"))),
    }
}

fn say(text: &str) {
    // A closed stderr leaves no place to report its error.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
