//! One Redis or Valkey server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use crate::process::{ServerProcess, again, folder};
use crate::tls::Certificates;
use crate::{CacheKind, free_port, resp};

/// A server of the [kind of this run](CacheKind::of_this_run), without persistence. Clones share
/// it.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    port: u16,
    tls: Option<(u16, Certificates)>,
    args: Vec<String>,
    running: Mutex<Running>,
}

struct Running {
    process: ServerProcess,
    dir: PathBuf,
    /// The content of a cluster node's `nodes.conf` when the node was killed.
    nodes: Option<Vec<u8>>,
}

/// The paths are relative to the server's folder.
const TLS_ARGS: &str = "--tls-auth-clients no --tls-ca-cert-file ca.pem --tls-cert-file server-cert.pem \
                        --tls-key-file server-key.pem";
const NODES: &str = "nodes.conf";
/// The file of a server's data.
const SNAPSHOT: &str = "dump.rdb";

impl Redis {
    /// Starts a server with no settings.
    pub async fn start() -> Self {
        Self::with_args(&[]).await
    }

    /// Starts a server with further arguments, such as `["--requirepass", "secret"]`.
    pub async fn with_args(args: &[&str]) -> Self {
        Self::new(args, None).await
    }

    /// Starts a server that speaks TLS too, with a certificate for `localhost` and 127.0.0.1.
    ///
    /// [`url`](Self::url) is then the `rediss:` one.
    pub async fn with_tls() -> Self {
        Self::new(&[], Some((free_port(), Certificates::new()))).await
    }

    /// Returns the server of all tests of this process. Use random names; don't stop or flush it.
    pub async fn shared() -> Self {
        static SHARED: OnceCell<Redis> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await.clone()
    }

    async fn new(args: &[&str], tls: Option<(u16, Certificates)>) -> Self {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        // Another process may take the port before the server does.
        let (port, running) = again(async || {
            let port = free_port();
            Ok((port, launch(port, tls.as_ref(), &args, &[]).await?))
        })
        .await;
        Self(Arc::new(Inner { port, tls, args, running: Mutex::new(running) }))
    }

    /// Returns the URL, with the password of `--requirepass` if there is one.
    pub fn url(&self) -> String {
        let secret = self.password().map(|p| format!(":{p}@")).unwrap_or_default();
        match &self.0.tls {
            Some((port, _)) => format!("rediss://{secret}127.0.0.1:{port}"),
            None => format!("redis://{secret}127.0.0.1:{}", self.0.port),
        }
    }

    /// Returns the port for plain connections.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Returns the CA's certificate, in PEM. Panics without [`with_tls`](Self::with_tls).
    pub fn ca_pem(&self) -> &str {
        &self.0.tls.as_ref().expect("the server speaks no TLS").1.ca
    }

    /// Sends SIGKILL. Returns when the server has ended.
    pub async fn kill(&self) {
        self.0.running.lock().await.kill().await;
    }

    /// Sends SIGSTOP: connections stay open and nothing answers.
    pub async fn pause(&self) {
        self.0.running.lock().await.process.pause();
    }

    /// Sends SIGCONT.
    pub async fn resume(&self) {
        self.0.running.lock().await.process.resume();
    }

    /// Restarts the server on the same port, empty. Kills it first. A cluster's node stays the
    /// same.
    pub async fn restart(&self) {
        self.restart_with(None).await;
    }

    /// Returns the server's data, for [`restart_from`](Self::restart_from).
    pub async fn snapshot(&self) -> Vec<u8> {
        assert_eq!(self.cli(&["SAVE"]).await, "OK");
        let file = self.0.running.lock().await.dir.join(SNAPSHOT);
        std::fs::read(file).expect("a file that the server has just written")
    }

    /// Restarts the server with the data of a snapshot, as a server that lost its newest writes.
    pub async fn restart_from(&self, snapshot: &[u8]) {
        self.restart_with(Some(snapshot)).await;
    }

    async fn restart_with(&self, snapshot: Option<&[u8]>) {
        let mut running = self.0.running.lock().await;
        running.kill().await;
        let files = [(NODES, running.nodes.take()), (SNAPSHOT, snapshot.map(<[u8]>::to_vec))];
        // A killed server's port may stay taken for a moment.
        *running = again(|| launch(self.0.port, self.0.tls.as_ref(), &self.0.args, &files)).await;
    }

    /// Runs a command. Returns its answer as text: arrays as lines, null as `""`, errors as text.
    pub async fn cli(&self, command: &[&str]) -> String {
        let auth = self.password().map(|p| ["AUTH", p]);
        let commands: Vec<&[&str]> = auth.iter().map(<[&str; 2]>::as_slice).chain([command]).collect();
        resp::run(self.0.port, &commands).await.unwrap_or_else(|e| panic!("{command:?} on {}: {e}", self.url()))
    }

    fn password(&self) -> Option<&str> {
        let mut args = self.0.args.iter().skip_while(|arg| *arg != "--requirepass");
        args.nth(1).map(String::as_str)
    }
}

impl Running {
    async fn kill(&mut self) {
        // The file is removed with its folder.
        self.nodes = std::fs::read(self.dir.join(NODES)).ok().or(self.nodes.take());
        self.process.kill().await;
    }
}

async fn launch(
    port: u16,
    tls: Option<&(u16, Certificates)>,
    args: &[String],
    files: &[(&str, Option<Vec<u8>>)],
) -> Result<Running, String> {
    let dir = folder("mrc-redis-");
    let mut tls_args = Vec::new();
    if let Some((port, certificates)) = tls {
        certificates.write_to(&dir, "");
        tls_args.extend(TLS_ARGS.split(' ').map(str::to_owned));
        tls_args.extend(["--tls-port".to_owned(), port.to_string()]);
    }
    for (name, content) in files.iter().filter_map(|(name, content)| Some((name, content.as_ref()?))) {
        std::fs::write(dir.join(name), content).expect("a file in the server's folder");
    }
    let process = server(&dir, port, tls_args.iter().chain(args).map(String::as_str)).await?;
    Ok(Running { process, dir, nodes: None })
}

/// Starts a redis-server in `dir`, for every kind of server.
pub(crate) async fn server<'a>(
    dir: &Path,
    port: u16,
    args: impl Iterator<Item = &'a str>,
) -> Result<ServerProcess, String> {
    let program = CacheKind::of_this_run().server.path();
    let mut command = vec![program.to_string_lossy().into_owned()];
    let fixed = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "."];
    command.extend(["--port".to_owned(), port.to_string()]);
    command.extend(fixed.into_iter().chain(args).map(str::to_owned));
    ServerProcess::start(&command, dir, "eady to accept connections").await
}
