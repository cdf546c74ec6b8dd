//! The machine of a measurement.

use std::fmt::{self, Display, Formatter};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::{CacheKind, SqlKind};

/// The machine and the programs, without names of hosts or paths. Unknown values are `unknown`.
///
/// Its text has the part that matters to every measurement: no Node, Python, Rust or load.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The model of the CPU, or its architecture.
    pub cpu: String,
    /// The number of threads that run at a time.
    pub cores: usize,
    /// The operating system and the architecture.
    pub system: String,
    /// The Redis or Valkey of this run, with its version.
    pub redis: String,
    /// The SQL server of this run, with its version.
    pub database: String,
    /// The version of Node.
    pub node: String,
    /// The version of the Python that the peer runs on.
    pub python: String,
    /// The version of rustc.
    pub rust: String,
    /// The load at the time of [`look`](Self::look): see [`load_now`](Self::load_now).
    pub load: String,
}

impl Machine {
    /// Returns the machine and its programs.
    pub fn look() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cpu: model.map_or(std::env::consts::ARCH, |(_, model)| model.trim()).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            system: says("uname", "-sm"),
            redis: CacheKind::of_this_run().version(),
            database: SqlKind::of_this_run().version(),
            node: version("node", "v"),
            python: version(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/venv/bin/python"), "Python "),
            rust: version("rustc", "rustc "),
            load: Self::load_now(),
        }
    }

    /// Returns the load of the machine: the mean of the last minute.
    pub fn load_now() -> String {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        load.split_whitespace().next().unwrap_or("unknown").to_owned()
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, system, redis, database, .. } = self;
        write!(f, "{cpu}, {cores} cores, {system}; {redis}, {database}")
    }
}

/// Returns the word after `mark`.
fn version(program: &str, mark: &str) -> String {
    let said = says(program, "--version");
    let after = said.split_once(mark).map_or(&*said, |(_, after)| after);
    after.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn says(program: &str, arg: &str) -> String {
    let output = Command::new(program).arg(arg).output();
    let said = output.map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    said.lines().next().unwrap_or("unknown").to_owned()
}
