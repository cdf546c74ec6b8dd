//! `just model`: checks the protocol in all settings, then without each of its parts.
#![expect(clippy::print_stdout, reason = "what the checker finds is printed")]

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mrc_model::{Finding, Found, Part, Setting, check};

/// Checks the fill protocol: it must hold, and without each of its parts it must not.
#[derive(Debug, Parser)]
struct Args {
    /// Leave out this part, and print the counterexample step by step.
    #[arg(long)]
    part: Option<Part>,
    /// Only the settings that take seconds, as in CI.
    #[arg(long)]
    small: bool,
    /// Only the settings whose name contains this, and no parts.
    #[arg(long)]
    only: Option<String>,
    /// How many steps one setting may take.
    #[arg(long, default_value_t = 150_000_000)]
    limit: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let one = NonZeroUsize::MIN;
    if let Some(part) = args.part {
        let finding = check(&part.setting(), Some(part), one, args.limit);
        return verdict(print_path(part.lack(), &finding));
    }

    let threads = std::thread::available_parallelism().unwrap_or(one);
    let mut settings = Setting::small();
    if !args.small {
        settings.extend(Setting::large());
        settings.extend(Setting::tagged());
        settings.extend(Setting::with_buckets());
        settings.extend(Setting::with_followers());
    }
    if let Some(only) = &args.only {
        settings.retain(|(name, _)| name.contains(only));
    }
    let mut as_it_should = true;
    print_head("the whole protocol");
    for (name, setting) in settings {
        let finding = check(&setting, None, threads, args.limit);
        as_it_should &= matches!(finding.found, Found::Holds);
        print_path(name, &finding);
    }
    if !args.small {
        print_head("as far as the limit");
        for (name, setting) in Setting::endless() {
            // Some minutes. Counterexamples are short, so they come early.
            if args.only.as_ref().is_none_or(|only| name.contains(only)) {
                let finding = check(&setting, None, threads, args.limit / 5);
                as_it_should &= matches!(finding.found, Found::Holds | Found::Unfinished);
                print_path(name, &finding);
            }
        }
    }
    if args.only.is_some() {
        return verdict(as_it_should);
    }
    print_head("without a part");
    for &part in Part::value_variants() {
        let finding = check(&part.setting(), Some(part), one, args.limit);
        print_row(part.lack(), &finding);
        as_it_should &= matches!(finding.found, Found::Counterexample { .. });
    }
    print_head("more than it bears");
    for (name, setting) in Setting::beyond() {
        let finding = check(&setting, None, one, args.limit);
        print_row(name, &finding);
        as_it_should &= matches!(finding.found, Found::Counterexample { .. });
    }
    println!("--part NAME prints a counterexample step by step; --help lists the names.");
    verdict(as_it_should)
}

fn print_head(title: &str) {
    println!("{title:<52} {:>13} {:>9}  result", "unique states", "time");
}

fn print_row(name: &str, finding: &Finding) {
    let result = match &finding.found {
        Found::Holds => "holds".to_owned(),
        Found::Counterexample { path, .. } => format!("counterexample of {} steps", path.len()),
        Found::Never(what) => format!("says nothing: never \"{what}\""),
        Found::Unfinished => "unfinished: no counterexample within the limit".to_owned(),
    };
    println!("{name:<52} {:>13} {:>8.1}s  {result}", finding.states, finding.took.as_secs_f64());
}

/// Prints the counterexample. Returns `false` if there is none, and prints a row.
fn print_path(name: &str, finding: &Finding) -> bool {
    let Found::Counterexample { breaks, path } = &finding.found else {
        print_row(name, finding);
        return false;
    };
    println!("{name}\nbreaks: {breaks}\n");
    for (number, step) in (1..).zip(path) {
        println!("{number:>3}  {:<66} {}", step.what, step.then);
    }
    true
}

fn verdict(as_it_should: bool) -> ExitCode {
    if as_it_should { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
