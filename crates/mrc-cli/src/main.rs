//! `mrc`: keys, cached queries, entries and exact drops on the command line, the follower of the
//! database's log, and a demo.
//!
//! | module | content |
//! |---|---|
//! | `args` | the command line |
//! | `value` | parses `NAME=VALUE` and JSON |
//! | `connect` | builds clients and stores from URLs |
//! | `output` | stdout carries only the result, stderr carries everything else |
//! | `error` | the errors, and the exit code of each |
//! | `command` | the commands |

mod args;
mod command;
mod connect;
mod error;
mod output;
mod value;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Args, Command};
use crate::error::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refused(&error),
    };
    let output = Output::new(args.global.json);
    match run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.kind_and_code().1)
        }
    }
}

fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let global = &args.global;
    match args.command {
        // Runs without a runtime: the pipes set its speed, and Ctrl-C ends it like any filter.
        Command::Key(args) => command::key::run(&args, output),
        Command::Explain(args) => command::explain::run(&args, global, output),
        Command::Completions(args) => command::completions(args, output),
        Command::Query(args) => block_on(interruptible(command::query::run(&args, global, output))),
        Command::Get(args) => block_on(interruptible(command::key::get(&args, global, output))),
        Command::Drop(args) => block_on(interruptible(command::drop::drop(&args, global, output))),
        Command::Invalidate(args) => block_on(interruptible(command::drop::invalidate(&args, global, output))),
        Command::Stats => block_on(interruptible(command::stats::run(global, output))),
        // These handle Ctrl-C themselves, because they have to clean up.
        Command::Follow(args) => block_on(command::follow::run(args, global, output)),
        Command::Demo => block_on(command::demo::run(global, output)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Other(format!("the async runtime can't start: {error}")))?;
    let done = runtime.block_on(work);
    // A task that still runs, such as a closing connection, must not delay the exit.
    runtime.shutdown_background();
    done
}

async fn interruptible<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(Failure::Interrupted),
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Prints clap's output: help and version unchanged, wrong usage as an error of `mrc`.
fn refused(error: &clap::Error) -> ExitCode {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let wants_json = std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let text = error.render().to_string();
    // clap quotes the argument that it refuses, which may be a URL with a password.
    if is_help || (!wants_json && error::redact(&text) == text) {
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let failure = Failure::Usage(text.trim_end().trim_start_matches("error: ").to_owned());
    Output::new(wants_json).failure(&failure);
    ExitCode::from(failure.kind_and_code().1)
}
