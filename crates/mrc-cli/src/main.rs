//! `mrc`: keys, cached queries, entries and exact drops from the command line, and a demo without servers.
//!
//! | room | what it is for |
//! |---|---|
//! | `args` | what can be written on the command line |
//! | `value` | `NAME=VALUE` and JSON, to values |
//! | `connect` | from URLs to clients and stores |
//! | `output` | stdout, which carries only the result, and stderr, which carries the rest |
//! | `error` | what can fail, and the exit code of each |
//! | `command` | what `mrc` does, one file each |

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
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let global = &args.global;
    match args.command {
        // Without a runtime: it reads and writes as fast as the pipes, and Ctrl-C ends it as it ends any filter.
        Command::Key(args) => command::key::run(&args, output),
        Command::Completions(args) => command::completions::run(args, output),
        Command::Query(args) => block_on(interruptible(command::query::run(&args, global, output))),
        Command::Get(args) => block_on(interruptible(command::get::run(&args, global, output))),
        Command::Drop(args) => block_on(interruptible(command::drop::run(&args, global, output))),
        Command::Invalidate(args) => block_on(interruptible(command::invalidate::run(&args, global, output))),
        Command::Stats => block_on(interruptible(command::stats::run(global, output))),
        // It minds Ctrl-C itself, since it has things to take away.
        Command::Demo => block_on(command::demo::run(global, output)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Other(format!("the async runtime can't start: {error}")))?;
    let done = runtime.block_on(work);
    // What still runs, such as a connection that says goodbye, must not hold the shell up.
    runtime.shutdown_background();
    done
}

async fn interruptible<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(Failure::Interrupted),
    }
}

/// Ends at Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What clap says: help and version as they are, wrong usage as an error of ours.
fn refused(error: &clap::Error) -> ExitCode {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let wants_json = std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let text = error.render().to_string();
    // The URL of a server may have landed in the wrong place, and clap quotes what it doesn't understand.
    if is_help || (!wants_json && error::redact(&text) == text) {
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let failure = Failure::Usage(text.trim_end().trim_start_matches("error: ").to_owned());
    Output::new(wants_json).failure(&failure);
    ExitCode::from(failure.exit_code())
}
