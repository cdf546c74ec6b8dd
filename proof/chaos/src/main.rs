//! Runs mrc under load while Redis and MySQL are killed and wedged, and measures its answers.
#![expect(clippy::print_stdout, reason = "what a run finds is printed")]

mod plan;
mod record;
mod report;
mod run;
mod series;

use std::process::ExitCode;

use clap::Parser;

/// Any failure ends the run.
pub(crate) type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// mrc under load while Redis and MySQL are killed and wedged, on servers that it starts itself.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Each phase a tenth as long, to see that it works
    #[arg(long)]
    pub(crate) quick: bool,
    /// Rewrites the measured part of docs/chaos.md, and its plots
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write: bool,
    /// Writes the plots to this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) plots: Option<std::path::PathBuf>,
    /// Calls a second, of each of the two series
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
}

fn main() -> Res<ExitCode> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let results = runtime.block_on(run::run(&args))?;
    println!("{}", report::text(&results));
    if let Some(folder) = &args.plots {
        report::plot(&results, folder)?;
    }
    if args.write {
        report::write(&results)?;
    }
    let broken = report::broken(&results);
    broken.iter().for_each(|goal| eprintln!("BROKEN: {goal}"));
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
