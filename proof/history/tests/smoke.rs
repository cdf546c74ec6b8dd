//! A small run of the checker: it passes the protocol, and finds the stale reads of the peers' way.

use std::io::Result;
use std::process::Command;

/// Runs the checker. It succeeds if the run has the right result.
#[track_caller]
fn run(args: &[&str]) -> Result<()> {
    let common = ["--operations", "2000", "--seconds", "60", "--readers", "2"];
    let output = Command::new(env!("CARGO_BIN_EXE_mrc-history")).args(common).args(args).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

#[test]
fn the_protocol_lets_nothing_stale_through() -> Result<()> {
    run(&[])
}

#[test]
fn the_follower_lets_nothing_stale_through() -> Result<()> {
    run(&["--follow"])
}

#[test]
fn a_follower_by_schemes_lets_nothing_stale_through() -> Result<()> {
    run(&["--follow", "--auto"])
}

#[test]
#[ignore = "a rare race: a small run needn't find it"]
fn a_follower_that_does_not_wait_until_readers_see_the_commit_does() -> Result<()> {
    run(&["--follow", "--without", "visibility"])
}

#[test]
fn the_way_of_the_peers_does() -> Result<()> {
    run(&["--naive"])
}
