//! The processes of a run, which read, write or follow.

use std::path::PathBuf;

use mrc_tests::process::ServerProcess;
use rand::Rng;
use rand::rngs::SmallRng;

use crate::Res;
use crate::args::Child;

pub(crate) struct Processes {
    role: &'static str,
    processes: Vec<ServerProcess>,
    child: Child,
}

impl Processes {
    pub(crate) async fn start(role: &'static str, child: Child, count: u8) -> Res<Self> {
        let mut started = Self { role, processes: Vec::new(), child };
        for number in 0..count {
            started.child.number = number;
            let process = started.next().await?;
            started.processes.push(process);
        }
        Ok(started)
    }

    pub(crate) fn any(&self, rng: &mut SmallRng) -> Res<&ServerProcess> {
        self.processes.get(rng.random_range(0..self.processes.len())).ok_or_else(|| "there are no processes".into())
    }

    /// Kills one of them, and starts another in its place.
    pub(crate) async fn replace(&mut self, rng: &mut SmallRng) -> Res<()> {
        let at = rng.random_range(0..self.processes.len());
        self.processes[at].kill().await;
        self.child.number = u8::try_from(at)?;
        self.processes[at] = self.next().await?;
        Ok(())
    }

    /// Starts the next one, with a seed of its own.
    async fn next(&mut self) -> Res<ServerProcess> {
        self.child.seed += 1;
        start(self.role, &self.child).await
    }
}

/// Starts this program as a child process, which can't outlive this one.
pub(crate) async fn start(role: &str, child: &Child) -> Res<ServerProcess> {
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let command = [program, role.to_owned(), serde_json::to_string(child)?];
    // The child's supervisor removes the folder.
    let folder: PathBuf = tempfile::Builder::new().prefix("mrc-history-").tempdir()?.keep();
    Ok(ServerProcess::start(&command, &folder, "ready").await?)
}
