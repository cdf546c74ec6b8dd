//! The commands of `mrc`.

pub(crate) mod demo;
pub(crate) mod drop;
pub(crate) mod explain;
pub(crate) mod follow;
pub(crate) mod key;
pub(crate) mod query;
pub(crate) mod stats;

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::error::Failure;
use crate::output::Output;

/// `mrc completions`: prints the script with which a shell completes the flags.
pub(crate) fn completions(args: CompletionsArgs, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mrc", &mut script);
    if output.is_json() {
        return output.document(&serde_json::json!({ "completions": String::from_utf8_lossy(&script) }));
    }
    output.result(script.trim_ascii_end())
}
