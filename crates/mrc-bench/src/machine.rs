//! What was measured on.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// The machine and the programs, without names of hosts or paths.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) redis: String,
    pub(crate) database: String,
    pub(crate) node: String,
    pub(crate) python: String,
    pub(crate) rust: String,
    /// The load of the machine before the run: the mean of a minute.
    pub(crate) load: String,
}

impl Machine {
    /// Looks around.
    pub(crate) fn look() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let python = crate::peer::installed("venv/bin/python");
        Self {
            cpu: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            system: says("uname", &["-sm"]),
            redis: version(&says("redis-server", &["--version"]), "v="),
            database: version(&says("mariadbd", &["--version"]), "Ver "),
            node: says("node", &["--version"]).trim_start_matches('v').to_owned(),
            python: says(&python.to_string_lossy(), &["--version"]).trim_start_matches("Python ").to_owned(),
            rust: version(&says("rustc", &["--version"]), "rustc "),
            load: load.split(' ').next().unwrap_or("unknown").to_owned(),
        }
    }
}

/// The word after `mark`.
fn version(text: &str, mark: &str) -> String {
    let after = text.split_once(mark).map_or(text, |(_, after)| after);
    after.split(' ').next().unwrap_or(after).to_owned()
}

fn says(program: &str, args: &[&str]) -> String {
    match Command::new(program).args(args).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
