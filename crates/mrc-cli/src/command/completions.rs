//! `mrc completions`: prints the script with which a shell completes the flags.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::error::Failure;
use crate::output::Output;

pub(crate) fn run(args: CompletionsArgs, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mrc", &mut script);
    if output.is_json() {
        return output.document(&serde_json::json!({ "completions": String::from_utf8_lossy(&script) }));
    }
    output.result(script.trim_ascii_end())
}
