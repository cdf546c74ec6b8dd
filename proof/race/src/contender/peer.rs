//! The published peers. Each runs the race in a process of its own, by a script in its language.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::race::Outcome;

/// The output of a peer's script.
#[derive(serde::Deserialize)]
pub(crate) struct Report {
    pub(crate) version: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// Runs the npm package, on Node.
pub(crate) async fn npm(redis: &str) -> Report {
    let mut node = Command::new("node");
    node.env("NODE_PATH", tests().join("node_modules"));
    run(node, "race.cjs", redis).await
}

/// Runs the PyPI package, on Python.
pub(crate) async fn pypi(redis: &str) -> Report {
    run(Command::new(tests().join("venv/bin/python")), "race.py", redis).await
}

async fn run(mut program: Command, script: &str, redis: &str) -> Report {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
    program.arg(&script).arg(redis).stderr(Stdio::inherit());
    let output = program.output().await.unwrap_or_else(|e| panic!("{program:?}: {e}; run scripts/setup"));
    assert!(output.status.success(), "{} failed: its output above says why", script.display());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{}: {e}", script.display()))
}

/// Returns the folder where scripts/setup installs the peers.
fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers")
}
