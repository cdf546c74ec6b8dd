//! A small run of the checker: it passes the protocol, and finds the stale reads of the peers' way.

use std::process::{Command, Output};

/// Runs the checker. It succeeds if the run has the right result.
fn run(args: &[&str]) -> std::io::Result<Output> {
    let common = ["--operations", "2000", "--seconds", "60", "--readers", "2"];
    Command::new(env!("CARGO_BIN_EXE_mrc-history")).args(common).args(args).output()
}

#[test]
fn the_protocol_lets_nothing_stale_through() {
    let output = run(&[]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_follower_lets_nothing_stale_through() {
    let output = run(&["--follow"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_follower_by_schemes_lets_nothing_stale_through() {
    let output = run(&["--follow", "--auto"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "a rare race: a small run needn't find it"]
fn a_follower_that_does_not_wait_until_readers_see_the_commit_does() {
    let output = run(&["--follow", "--without", "visibility"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_way_of_the_peers_does() {
    let output = run(&["--naive"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
