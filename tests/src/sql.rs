//! One MySQL or MariaDB server, and fresh databases on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use tokio::sync::{Mutex, OnceCell};

use crate::process::{ServerProcess, again, folder};
use crate::tls::Certificates;
use crate::{SqlKind, free_port, unique};

const USER: &str = "shop";
const PASSWORD: &str = "secret";

/// A server of the [kind of this run](SqlKind::of_this_run) that tests may kill or pause.
/// Other tests take a [`Database`].
pub struct SqlServer {
    port: u16,
    args: Vec<&'static str>,
    running: Mutex<Running>,
}

struct Running {
    process: ServerProcess,
    dir: PathBuf,
}

const DATA: &str = "data";

impl SqlServer {
    /// Starts an empty server. Its one user has all rights.
    pub async fn start() -> Self {
        Self::with_args(&[]).await
    }

    /// Starts an empty server that speaks no TLS.
    pub async fn without_tls() -> Self {
        Self::with_args(SqlKind::of_this_run().without_tls).await
    }

    /// Starts an empty server with TLS and a certificate that names no host. MySQL makes its own.
    pub async fn with_nameless_certificate() -> Self {
        Self::with_args(SqlKind::of_this_run().with_nameless_certificate).await
    }

    /// Starts an empty server that speaks TLS with a certificate for `localhost` and 127.0.0.1.
    pub async fn with_named_certificate() -> Self {
        Self::with_args(&[
            "--ssl-ca=named-ca.pem",
            "--ssl-cert=named-server-cert.pem",
            "--ssl-key=named-server-key.pem",
        ])
        .await
    }

    /// Returns the path of a file in its data folder. The nameless certificate has `ca.pem`,
    /// `client-cert.pem` and `client-key.pem`; the other has `named-ca.pem`.
    pub async fn file(&self, name: &str) -> PathBuf {
        self.running.lock().await.dir.join(DATA).join(name)
    }

    /// Starts an empty server that writes a log of its changes.
    pub async fn with_log() -> Self {
        Self::with_args(SqlKind::of_this_run().with_log).await
    }

    /// Starts an empty server whose log lacks the rows that foreign keys change, as before MySQL
    /// 9.6.
    pub async fn with_log_of_old() -> Self {
        let kind = SqlKind::of_this_run();
        Self::with_args(&[kind.with_log, kind.and_of_old].concat()).await
    }

    /// Returns the process's one server that writes a log. Each test has a database of its own.
    pub async fn shared_with_log() -> &'static Self {
        static SHARED: OnceCell<SqlServer> = OnceCell::const_new();
        SHARED.get_or_init(Self::with_log).await
    }

    async fn with_args(args: &[&'static str]) -> Self {
        // Another process may take the port before the server does.
        let (port, running) = again(async || {
            let port = free_port();
            Ok((port, launch(port, args, None).await?))
        })
        .await;
        Self { port, args: args.to_vec(), running: Mutex::new(running) }
    }

    async fn shared() -> &'static Self {
        static SHARED: OnceCell<SqlServer> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Returns a URL for one of its databases, or for none if `database` is `""`.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a connection with all rights and no database.
    pub async fn admin(&self) -> Conn {
        connect(&self.url("")).await
    }

    /// Runs statements separated by `;`, as a user with all rights.
    pub async fn execute(&self, sql: &str) {
        run(&self.url(""), sql).await;
    }

    /// Sends SIGKILL. Returns when the server has ended.
    pub async fn kill(&self) {
        self.running.lock().await.process.kill().await;
    }

    /// Sends SIGSTOP: connections stay open and nothing answers.
    pub async fn pause(&self) {
        self.running.lock().await.process.pause();
    }

    /// Sends SIGCONT.
    pub async fn resume(&self) {
        self.running.lock().await.process.resume();
    }

    /// Restarts the server on the same port, with all committed data. Kills it first if it runs.
    pub async fn restart(&self) {
        let mut running = self.running.lock().await;
        running.process.kill().await;
        // Tried once, because a server that fails to start loses the data.
        *running = launch(self.port, &self.args, Some(&running.dir)).await.unwrap_or_else(|e| panic!("{e}"));
    }
}

/// A new database with a random name, on the process's one server. Dropping it drops the database.
pub struct Database {
    name: String,
    server: &'static SqlServer,
}

impl Database {
    /// Creates a database with utf8mb4.
    pub async fn create() -> Self {
        Self::on(SqlServer::shared().await).await
    }

    /// Creates a database like [`create`](Self::create), and runs statements separated by `;` in
    /// it.
    pub async fn with(setup: &str) -> Self {
        let database = Self::create().await;
        database.execute(setup).await;
        database
    }

    /// Creates a database with utf8mb4 on the one server that writes a log.
    pub async fn logged() -> Self {
        Self::on(SqlServer::shared_with_log().await).await
    }

    /// Creates a database with utf8mb4 on a server of its own that writes a log, for tests that
    /// change global variables. The server ends with the process.
    pub async fn logged_alone() -> Self {
        Self::on(Box::leak(Box::new(SqlServer::with_log().await))).await
    }

    /// Creates a database with utf8mb4 on a server of the test's own.
    pub async fn on(server: &'static SqlServer) -> Self {
        let name = unique("mrc");
        let database = Self { name, server };
        run(&server.url(""), &format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name)).await;
        database
    }

    /// Returns its URL, with a user who has all rights.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the port of its server.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Returns a connection to it with all rights, apart from the code under test.
    pub async fn admin(&self) -> Conn {
        connect(&self.url()).await
    }

    /// Creates a user with the rights of `docs/rights/mysql.sql`. Returns its name and password.
    pub async fn reader(&self) -> (String, &'static str) {
        let name = unique("reader");
        let rights = include_str!("../../docs/rights/mysql.sql");
        let rights = rights.replace("cache@", &format!("{name}@")).replace("shop.", &format!("{}.", self.name));
        self.execute(&rights).await;
        (name, "secret")
    }

    /// Holds each commit between the log and the engine, for `limit` at most: the log has it, and
    /// readers don't see it. `None` ends all of that. Needs [`logged_alone`](Self::logged_alone).
    ///
    /// The server waits for a replica that answers, and there is none. After the limit it waits for
    /// no further commit until this is called again.
    pub async fn hold_commits(&self, limit: Option<Duration>) {
        let (install, start) = SqlKind::of_this_run().semi_sync;
        let mut conn = self.admin().await;
        if let Some(install) = install {
            // An earlier call may have installed it.
            let _ = conn.query_drop(install).await;
        }
        let mut set = format!("SET {start}wait_point = 'AFTER_SYNC', {start}enabled = OFF");
        if let Some(limit) = limit {
            set += &format!("; SET {start}timeout = {}, {start}enabled = ON", limit.as_millis());
        }
        conn.query_drop(&set).await.unwrap_or_else(|e| panic!("{set}: {e}"));
        let _ = conn.disconnect().await;
    }

    /// Runs statements separated by `;`.
    pub async fn execute(&self, sql: &str) {
        run(&self.url(), sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, sql) = (self.server.url(""), format!("DROP DATABASE IF EXISTS {}", self.name));
        // The test's runtime may be ending, so this has its own. It may fail: the server ends.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { Conn::from_url(&url).await?.query_drop(sql).await })?;
            Ok::<_, mysql_async::Error>(())
        });
    }
}

/// Returns the connections on which the server runs a statement with this text.
pub async fn running(admin: &mut Conn, text: &str) -> Vec<u64> {
    let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE ? AND ID <> CONNECTION_ID()";
    admin.exec(sql, (format!("%{text}%"),)).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// Waits until the server runs a statement with this text. Returns the connection.
pub async fn until_running(admin: &mut Conn, text: &str) -> u64 {
    loop {
        if let Some(id) = running(admin, text).await.first() {
            return *id;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until the server runs no statement with this text.
pub async fn until_ended(admin: &mut Conn, text: &str) {
    while !running(admin, text).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn connect(url: &str) -> Conn {
    let opts = Opts::from_url(url).expect("the harness's own URL");
    Conn::new(opts).await.unwrap_or_else(|e| panic!("{url}: {e}"))
}

async fn run(url: &str, sql: &str) {
    let mut conn = connect(url).await;
    conn.query_drop(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    // A clean disconnect keeps the server from logging an aborted connection.
    let _ = conn.disconnect().await;
}

/// Starts a new server, or one with the data of a killed server, moved from its folder.
async fn launch(port: u16, args: &[&str], killed: Option<&Path>) -> Result<Running, String> {
    let (kind, dir) = (SqlKind::of_this_run(), folder("mrc-sql-"));
    let data = dir.join(DATA);
    let datadir = format!("--datadir={}", data.display());
    // A MariaDB that starts removes the temporary tables in its folder, another server's too.
    let tmpdir = format!("--tmpdir={}", dir.display());
    let user = rustix::process::geteuid().is_root().then_some("--user=root");
    // Nothing must survive a crash of the system, so nothing waits for the disk.
    let fast = ["--loose-innodb-flush-method=nosync", "--innodb-buffer-pool-size=64M"];
    let common: Vec<&str> = ["--no-defaults", &datadir, &tmpdir].into_iter().chain(fast).chain(user).collect();
    let filled = match killed {
        Some(killed) => std::fs::rename(killed.join(DATA), &data).map_err(|e| e.to_string()),
        None => install(kind, &dir, &common).await,
    };
    if let Err(error) = filled {
        // No supervisor holds the folder yet.
        let _ = std::fs::remove_dir_all(&dir);
        return Err(error);
    }
    for (prefix, certificates) in [("", Certificates::without_names()), ("named-", Certificates::new())] {
        // MySQL made its own certificates when it filled the folder.
        if !data.join(format!("{prefix}ca.pem")).exists() {
            certificates.write_to(&data, prefix);
        }
    }
    let grants = format!(
        "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
    );
    std::fs::write(dir.join("init.sql"), grants).map_err(|e| e.to_string())?;
    let program = kind.server.path();
    let port = format!("--port={port}");
    // The socket's path must be short, so it is relative to the data folder.
    let own = [&port, "--bind-address=127.0.0.1", "--socket=s", "--pid-file=pid", "--max-connections=500"];
    // A commit has reached the system before it is answered, so a kill doesn't lose it.
    let log = ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--skip-log-bin", "--skip-name-resolve"];
    let init = format!("--init-file={}", dir.join("init.sql").display());
    let program = program.to_string_lossy();
    let parts = [&[&*program], &*common, &own, &log, &[&*init], kind.serve, args];
    let process = ServerProcess::start(&parts.concat(), &dir, "ready for connections").await?;
    Ok(Running { process, dir })
}

async fn install(kind: &SqlKind, dir: &Path, common: &[&str]) -> Result<(), String> {
    let program = kind.installer.path();
    let output = tokio::process::Command::new(&program)
        .args(common)
        .args(kind.install)
        .current_dir(dir)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    output.status.success().then_some(()).ok_or_else(|| text(&output.stdout) + &text(&output.stderr))
}
