//! One MariaDB server, and fresh databases on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use tokio::sync::{Mutex, OnceCell};

use crate::process::{ServerProcess, again, folder, program};
use crate::{free_port, unique};

const USER: &str = "shop";
const PASSWORD: &str = "secret";

/// A MariaDB server of its own, for tests that kill or pause it. Others take a [`Database`].
pub struct MariaDb {
    port: u16,
    running: Mutex<Running>,
}

struct Running {
    process: ServerProcess,
    dir: PathBuf,
}

const DATA: &str = "data";

impl MariaDb {
    /// A new, empty server. Its one user may do everything.
    pub async fn start() -> Self {
        // Another process may take the port before the server does.
        let (port, running) = again(async || {
            let port = free_port();
            Ok((port, launch(port, None).await?))
        })
        .await;
        Self { port, running: Mutex::new(running) }
    }

    async fn shared() -> &'static Self {
        static SHARED: OnceCell<MariaDb> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A URL for one of its databases; with `""` for none.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection with all rights, with no database chosen.
    pub async fn admin(&self) -> Conn {
        connect(&self.url("")).await
    }

    /// SIGKILL. Returns when the server is gone.
    pub async fn kill(&self) {
        self.running.lock().await.process.kill().await;
    }

    /// SIGSTOP: connections stay open and nothing answers.
    pub async fn pause(&self) {
        self.running.lock().await.process.pause();
    }

    /// SIGCONT.
    pub async fn resume(&self) {
        self.running.lock().await.process.resume();
    }

    /// Starts the server again on the same port, with all that was committed. Kills it first if it runs.
    pub async fn restart(&self) {
        let mut running = self.running.lock().await;
        running.process.kill().await;
        // Once: the data goes with a server that does not start.
        *running = launch(self.port, Some(&running.dir)).await.unwrap_or_else(|e| panic!("{e}"));
    }
}

/// A fresh database with a random name, on the one server of this test process. Dropping it drops the database.
pub struct Database {
    name: String,
    server: &'static MariaDb,
}

impl Database {
    /// Creates it, utf8mb4.
    pub async fn create() -> Self {
        let server = MariaDb::shared().await;
        let name = unique("mrc");
        let database = Self { name, server };
        run(&server.url(""), &format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name)).await;
        database
    }

    /// Its URL, with a user who may do everything.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port of its server.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// A connection to it with all rights, beside the code under test.
    pub async fn admin(&self) -> Conn {
        connect(&self.url()).await
    }

    /// Runs statements separated by `;`.
    pub async fn execute(&self, sql: &str) {
        run(&self.url(), sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, sql) = (self.server.url(""), format!("DROP DATABASE IF EXISTS {}", self.name));
        // The test's runtime may be going away, so this has one of its own. Best effort: the server goes too.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { Conn::from_url(&url).await?.query_drop(sql).await })?;
            Ok::<_, mysql_async::Error>(())
        });
    }
}

async fn connect(url: &str) -> Conn {
    let opts = Opts::from_url(url).expect("the harness's own URL");
    Conn::new(opts).await.unwrap_or_else(|e| panic!("{url}: {e}"))
}

async fn run(url: &str, sql: &str) {
    let mut conn = connect(url).await;
    conn.query_drop(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    // Says goodbye, so the server doesn't log an aborted connection.
    let _ = conn.disconnect().await;
}

/// A new server, or with the data of a killed one, which is moved: its folder goes with that one.
async fn launch(port: u16, killed: Option<&Path>) -> Result<Running, String> {
    let dir = folder("mrc-mariadb-");
    let data = dir.join(DATA);
    // Nothing here must survive a crash of the system, so nothing waits for the disk.
    let fast = ["--loose-innodb-flush-method=nosync", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"];
    let datadir = format!("--datadir={}", data.display());
    let user = rustix::process::geteuid().is_root().then_some("--user=root");
    let common: Vec<&str> =
        ["--no-defaults", &datadir, "--skip-name-resolve"].into_iter().chain(fast).chain(user).collect();
    let filled = match killed {
        Some(killed) => std::fs::rename(killed.join(DATA), &data).map_err(|e| e.to_string()),
        None => install(&dir, &common).await,
    };
    if let Err(error) = filled {
        // No supervisor holds the folder yet.
        let _ = std::fs::remove_dir_all(&dir);
        return Err(error);
    }
    let grants = format!(
        "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
    );
    std::fs::write(dir.join("init.sql"), grants).map_err(|e| e.to_string())?;
    let program = program("MRC_TEST_MARIADBD", &["mariadbd", "mysqld"]);
    let port = format!("--port={port}");
    // The socket's path must be short: the folder is the working directory.
    let own = [&port, "--bind-address=127.0.0.1", "--socket=s", "--pid-file=pid", "--max-connections=500"];
    // A commit lies with the system before it is answered: a kill doesn't take it back.
    let log = ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--skip-log-bin"];
    let init = format!("--init-file={}", dir.join("init.sql").display());
    let program = program.to_string_lossy();
    let command: Vec<&str> = [&*program].into_iter().chain(common).chain(own).chain(log).chain([&*init]).collect();
    let process = ServerProcess::start(&command, &dir, "ready for connections").await?;
    Ok(Running { process, dir })
}

async fn install(dir: &Path, common: &[&str]) -> Result<(), String> {
    let program = program("MRC_TEST_MARIADB_INSTALL_DB", &["mariadb-install-db", "mysql_install_db"]);
    let output = tokio::process::Command::new(program)
        .args(common)
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .current_dir(dir)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|e| format!("mariadb-install-db: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    output.status.success().then_some(()).ok_or_else(|| text(&output.stdout) + &text(&output.stderr))
}
