//! Finds the programs of the servers.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A server's program, or one that belongs to it.
pub(crate) struct Program {
    /// The variable that names its path.
    pub(crate) variable: &'static str,
    /// Where `scripts/servers` unpacks it, under `tests/servers`.
    pub(crate) unpacked: &'static str,
    /// Its names on PATH.
    pub(crate) names: &'static [&'static str],
    /// Whether a program of such a name is this one, by its answer to `--version`.
    pub(crate) is_it: fn(&str) -> bool,
}

impl Program {
    /// Returns its path: the variable's, the unpacked one, or the first on PATH or in usual places.
    /// Returns `None` if it isn't installed.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        if let Some(path) = std::env::var_os(self.variable) {
            return Some(path.into());
        }
        let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(self.unpacked);
        if unpacked.is_file() {
            return Some(unpacked);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
        let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(usual).collect();
        self.names
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.is_file() && (self.is_it)(&version(path)))
    }

    /// Returns its path. Panics if it isn't installed.
    pub(crate) fn path(&self) -> PathBuf {
        let Self { variable, unpacked, .. } = self;
        self.find().unwrap_or_else(|| panic!("{unpacked} isn't installed: run scripts/setup, or name it in {variable}"))
    }

    /// Returns the version number that it prints, or `unknown`.
    pub(crate) fn version(&self) -> String {
        let said = self.find().map(|path| version(&path)).unwrap_or_default();
        let after = ["Ver ", "v="].iter().find_map(|mark| said.split_once(mark));
        after.and_then(|(_, after)| after.split([' ', '-']).next()).unwrap_or("unknown").to_owned()
    }
}

/// Returns the first line that a program prints for `--version`.
fn version(path: &Path) -> String {
    let output = Command::new(path).arg("--version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}
