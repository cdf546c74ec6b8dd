//! What was measured on.

use std::process::Command;

/// The machine and the programs, without names of hosts or paths.
#[derive(Debug)]
pub(crate) struct Machine(String);

impl Machine {
    /// Looks around, before the run.
    pub(crate) fn look() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cpu = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let redis = version("redis-server", "v=");
        let database = version("mariadbd", "Ver ");
        Self(format!(
            "{cpu}, {cores} cores, {}; Redis {redis}, {database}. Load before the run: {}",
            std::env::consts::OS,
            load()
        ))
    }

    /// In words, with the load after the run.
    pub(crate) fn text(&self) -> String {
        format!("Measured on {}, at its end: {}.", self.0, load())
    }
}

/// The mean of a minute.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// The word after `mark`.
fn version(program: &str, mark: &str) -> String {
    let said = Command::new(program).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let after = said.split_once(mark).map_or("unknown", |(_, after)| after);
    after.split_whitespace().next().unwrap_or_default().to_owned()
}
