//! A MariaDB server that keeps its data when it is killed: the harness's own starts anew without.

use std::path::PathBuf;

use mrc_tests::free_port;
use mrc_tests::process::ServerProcess;
use tokio::process::Command;

use crate::Res;

/// A server, and those that it was before.
pub(crate) struct MariaDb {
    /// Each of them owns the folder, and removes it at its end: so none is let go before the last one.
    processes: Vec<ServerProcess>,
    folder: PathBuf,
    port: u16,
}

impl MariaDb {
    /// A new server with the database `shop`.
    pub(crate) async fn start() -> Res<Self> {
        let folder = tempfile::Builder::new().prefix("mrc-chaos-").tempdir()?.keep();
        let mut server = Self { processes: Vec::new(), folder, port: free_port() };
        let install = program("MRC_TEST_MARIADB_INSTALL_DB", "mariadb-install-db");
        let mut command = Command::new(install);
        command.args(server.common()).args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        let output = command.current_dir(&server.folder).output().await?;
        if !output.status.success() {
            std::fs::remove_dir_all(&server.folder)?;
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let init = "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;\n\
             CREATE USER IF NOT EXISTS shop@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO shop@'%';\n";
        std::fs::write(server.folder.join("init.sql"), init)?;
        server.restart().await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("mysql://shop:secret@127.0.0.1:{}/shop", self.port)
    }

    /// SIGKILL.
    pub(crate) async fn kill(&self) {
        if let Some(process) = self.processes.last() {
            process.kill().await;
        }
    }

    /// SIGSTOP.
    pub(crate) fn pause(&self) {
        self.processes.last().into_iter().for_each(ServerProcess::pause);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.processes.last().into_iter().for_each(ServerProcess::resume);
    }

    /// Starts it on its port and its data. Returns when it is ready.
    pub(crate) async fn restart(&mut self) -> Res<()> {
        let mut command = vec![program("MRC_TEST_MARIADBD", "mariadbd")];
        command.extend(self.common());
        // A commit lies with the system before it is answered: no process that is killed takes it back.
        let own = ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--skip-log-bin", "--max-connections=500"];
        let place = ["--bind-address=127.0.0.1", "--socket=s", "--pid-file=pid"];
        command.extend(own.into_iter().chain(place).map(str::to_owned));
        command.push(format!("--port={}", self.port));
        command.push(format!("--init-file={}", self.folder.join("init.sql").display()));
        self.processes.push(ServerProcess::start(&command, &self.folder, "ready for connections").await?);
        Ok(())
    }

    fn common(&self) -> Vec<String> {
        let data = format!("--datadir={}", self.folder.join("data").display());
        let fast = ["--loose-innodb-flush-method=nosync", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"];
        let user = rustix::process::geteuid().is_root().then_some("--user=root");
        let fixed = ["--no-defaults", &data, "--skip-name-resolve"];
        fixed.into_iter().chain(fast).chain(user).map(str::to_owned).collect()
    }
}

/// The program that the variable names, or else this one.
fn program(variable: &str, name: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| name.to_owned())
}
