//! The published peers, each in a process of its own that takes JSON lines, and a second process of
//! this test binary.
//!
//! The drivers in `tests/peers` call only the packages' public methods.

use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, mpsc};

/// A running peer, with a client and a server of the package. Dropping it ends the process.
pub struct Peer(Dialogue);

impl Peer {
    /// Starts the npm package, on Node. Pass `""` for a server that the test doesn't need.
    pub async fn npm(redis_url: &str, mysql_url: &str) -> Self {
        let installed = folder().join("node_modules/@actvalue/mysql-redis-cache");
        Self::start("node".as_ref(), "peer.cjs", &installed, [redis_url, mysql_url])
    }

    /// Starts the PyPI package, on Python. Pass `""` for a server that the test doesn't need.
    pub async fn pypi(redis_url: &str, mysql_url: &str) -> Self {
        Self::python("peer.py", [redis_url, mysql_url])
    }

    /// Starts the PyPI package `simple-dep-cache`. See `tests/peers/simple_dep.py` for operations.
    pub async fn simple_dep_cache(redis_url: &str) -> Self {
        Self::python("simple_dep.py", [redis_url, ""])
    }

    /// Starts the PyPI package `redis_func_cache`. The server may be a cluster.
    /// `tests/peers/func_cache.py` lists its operations and their fields.
    pub async fn redis_func_cache(redis_url: &str) -> Self {
        Self::python("func_cache.py", [redis_url, ""])
    }

    /// Runs one operation of the peer. Panics with the peer's error if the operation fails.
    ///
    /// | `op` | further fields | result |
    /// |---|---|---|
    /// | `key` | `query`, `params`, `names` | the key |
    /// | `query` | `query`, `params`, `names`, `ttl` | the rows |
    /// | `read` | `query`, `params`, `names` | the value or null |
    /// | `write` | `query`, `value`, `params`, `names`, `ttl` | null |
    /// | `with` | `query`, `value`, `params`, `names`, `ttl` | `{"value": …, "ran": bool}`: the closure returns `value` |
    /// | `drop` | `names`, `values`, `all` | how many keys were removed |
    ///
    /// `params`, `names`, `ttl` (seconds) and `all` may be omitted, as in the packages.
    /// `{"$date": "2025-01-15T10:30:00Z"}` is a date of the language (in Python without the time).
    /// `{"$bytes": base64}` are bytes.
    pub async fn call(&self, request: Value) -> Value {
        self.try_call(&request).await.unwrap_or_else(|error| panic!("the peer failed on {request}: {error}"))
    }

    /// Runs one operation like [`call`](Self::call), but returns the peer's error.
    ///
    /// # Errors
    /// The package's error, as text.
    pub async fn try_call(&self, request: &Value) -> Result<Value, String> {
        let line = self.0.ask(request, "").await.map_err(|e| e.to_string())?;
        let line = line.ok_or("the peer's process ended; its output above says why")?;
        let mut answer: Value = serde_json::from_str(&line).map_err(|e| format!("{e} in {line}"))?;
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Returns the key that the peer makes.
    pub async fn key(&self, query: &str, params: &[Value], names: &[&str]) -> String {
        let key = self.call(json!({"op": "key", "query": query, "params": params, "names": names})).await;
        key.as_str().expect("a key is a text").to_owned()
    }

    fn python(driver: &str, urls: [&str; 2]) -> Self {
        let python = folder().join("venv/bin/python");
        Self::start(&python, driver, &python, urls)
    }

    fn start(program: &Path, driver: &str, installed: &Path, urls: [&str; 2]) -> Self {
        let missing = installed.display();
        assert!(installed.exists(), "the peers are not installed: run scripts/setup ({missing} is missing)");
        let mut command = Command::new(program);
        command.arg(folder().join(driver)).args(urls).env("TZ", "UTC");
        Self(Dialogue::start(&mut command).unwrap_or_else(|e| panic!("{}: {e}", program.display())))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// A process that takes JSON lines on its stdin, and answers each with a line.
pub(crate) struct Dialogue {
    pipes: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    child: Mutex<Child>,
}

impl Dialogue {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let requests = child.stdin.take().expect("stdin is piped");
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        Ok(Self { pipes: Mutex::new((requests, answers)), child: Mutex::new(child) })
    }

    /// Sends a request. Returns the next line that begins with `mark`, without the mark. Returns
    /// `None` if the process ended before it answered.
    pub(crate) async fn ask(&self, request: &Value, mark: &str) -> io::Result<Option<String>> {
        let mut pipes = self.pipes.lock().await;
        pipes.0.write_all(format!("{request}\n").as_bytes()).await?;
        while let Some(line) = pipes.1.next_line().await? {
            if let Some(answer) = line.strip_prefix(mark) {
                return Ok(Some(answer.to_owned()));
            }
        }
        Ok(None)
    }

    /// Sends SIGKILL. Returns when the process has ended.
    pub(crate) async fn kill(&self) {
        self.child.lock().await.kill().await.expect("it is our child");
    }
}

/// The variable that marks a process as a twin, and holds the `config` of its test.
const CONFIG: &str = "MRC_TEST_TWIN";
/// The prefix of answers, because libtest writes to the same pipe.
const ANSWER: &str = "twin answers ";

/// Another process of this test binary, which runs one of its ignored tests.
/// That test calls [`config`](Self::config) and [`serve`](Self::serve).
///
/// The process ends when this is dropped, or when this process ends, even by SIGKILL.
pub struct Twin(Dialogue);

impl Twin {
    /// Starts a process that runs the ignored test with this full name.
    pub fn start(test: &str, config: &Value) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("a test binary has a path"));
        command.args(["--exact", test, "--ignored", "--nocapture"]).env(CONFIG, config.to_string());
        Self(Dialogue::start(&mut command).expect("a test binary can be run"))
    }

    /// Returns the answer to a request. Returns `None` if the process ended before it answered.
    pub async fn call(&self, request: &Value) -> Option<Value> {
        let answer = self.0.ask(request, ANSWER).await.ok()??;
        Some(answer.parse().expect("a twin answers JSON"))
    }

    /// Sends SIGKILL. Returns when the process has ended.
    pub async fn kill(&self) {
        self.0.kill().await;
    }

    /// Returns the twin's `config` of [`start`](Self::start). Returns `None` if this is no twin.
    pub fn config() -> Option<Value> {
        Some(std::env::var(CONFIG).ok()?.parse().expect("a twin is given JSON"))
    }

    /// Answers each request in the other process, one after the other, until the process ends.
    pub async fn serve(mut answer: impl AsyncFnMut(Value) -> Value) {
        let (sender, mut requests) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
            // The parent has ended, in any way, perhaps in the middle of an answer.
            std::process::exit(0);
        });
        while let Some(request) = requests.recv().await {
            let answer = answer(request.parse().expect("a twin is asked JSON")).await;
            // libtest may have begun a line, so the answer starts on a new one.
            writeln!(std::io::stdout(), "\n{ANSWER}{answer}").expect("somebody reads");
        }
    }
}
