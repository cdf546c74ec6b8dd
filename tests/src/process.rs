//! A server process that can't outlive the tests.
//!
//! A shell stands between this process and the server. Its stdin ends when this process ends, in
//! any way. The shell then kills the server and removes its folder. This needs no signal handler
//! and no `prctl`, on Linux and macOS alike.
//!
//! A thread of ours reads the server's output. A line reports readiness; the output ends with the
//! server.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

// The trap comes after the server, which must not inherit it. With the trap, the shell also
// outlives a reader that ends before it reads the pid.
const SUPERVISOR: &str = r#"
dir=$1; shift
sh -c 'echo "$$"; exec "$@"' sh "$@" </dev/null 2>&1 &
pid=$!
trap '' HUP INT PIPE TERM
exec >/dev/null 2>&1
cat
kill -9 "$pid"
wait "$pid"
rm -rf "$dir"
"#;

const KEPT_LINES: usize = 100;
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq)]
enum State {
    Starting,
    Ready,
    Gone,
}

/// A running server. Dropping it kills it and removes its folder.
pub struct ServerProcess {
    pid: Pid,
    state: watch::Receiver<State>,
    _lifeline: ChildStdin,
}

impl ServerProcess {
    /// Starts `command` and waits until a line of its output contains `ready`.
    ///
    /// `dir` is removed when the server ends.
    ///
    /// # Errors
    /// The last lines of its output, if it ended or wasn't ready within 60 s.
    pub async fn start(command: &[impl AsRef<OsStr>], dir: &Path, ready: &'static str) -> Result<Self, String> {
        end_if_it_hangs();
        let mut shell = Command::new("sh")
            .args(["-c", SUPERVISOR, "mrc-tests"])
            .arg(dir)
            .args(command)
            .current_dir(dir)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C signals the foreground group. The shell must survive it to clean up.
            .process_group(0)
            .spawn()
            .map_err(|e| format!("sh: {e}"))?;
        let lifeline = shell.stdin.take().expect("stdin is piped");
        let mut output = BufReader::new(shell.stdout.take().expect("stdout is piped"));
        let mut first = String::new();
        output.read_line(&mut first).map_err(|e| e.to_string())?;
        let pid = first.trim().parse().ok().and_then(Pid::from_raw).expect("the shell tells the server's pid");

        let (sender, mut state) = watch::channel(State::Starting);
        let log = Arc::new(Mutex::new(VecDeque::new()));
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || follow(shell, output, ready, &log, &sender)
        });
        let _ = tokio::time::timeout(START_LIMIT, state.wait_for(|s| *s != State::Starting)).await;
        if *state.borrow() == State::Ready {
            return Ok(Self { pid, state, _lifeline: lifeline });
        }
        let lines: Vec<String> = log.lock().expect("no holder panics").iter().cloned().collect();
        Err(format!("{} did not start:\n{}", command[0].as_ref().to_string_lossy(), lines.join("\n")))
    }

    /// Sends SIGKILL, and waits until the process has ended. Does nothing if it has ended already.
    pub async fn kill(&self) {
        self.signal(Signal::KILL);
        let mut state = self.state.clone();
        // The sender is dropped only after it has sent `Gone`, so an error means the same.
        let _ = state.wait_for(|s| *s == State::Gone).await;
    }

    /// Sends SIGSTOP: connections stay open, nothing answers. Returns when the threads have
    /// stopped.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let began = Instant::now();
        while !self.is_stopped() && began.elapsed() < STOP_LIMIT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends SIGCONT, which ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Returns whether each thread is stopped, by Linux's `/proc`. Without `/proc` returns `true`.
    fn is_stopped(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid.as_raw_nonzero()));
        threads.into_iter().flatten().flatten().all(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // The state follows the name, which may contain any character.
            stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('T'))
        })
    }

    // The shell hasn't waited for the server yet, so its pid isn't reused by another process.
    fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }
}

fn follow(
    mut shell: Child,
    output: impl BufRead,
    ready: &str,
    log: &Mutex<VecDeque<String>>,
    state: &watch::Sender<State>,
) {
    for line in output.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if line.contains(ready) {
            state.send_replace(State::Ready);
        }
        let mut log = log.lock().expect("no holder panics");
        if log.len() == KEPT_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }
    state.send_replace(State::Gone);
    let _ = shell.wait();
}

/// Ends this process after `MRC_TEST_LIMIT` seconds, so that a test that waits for ever is a
/// failure. libtest has named it by then, after a minute.
fn end_if_it_hangs() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let Some(limit) = std::env::var("MRC_TEST_LIMIT").ok().and_then(|limit| limit.parse().ok()) else { return };
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(limit));
            // libtest captures what `eprintln!` writes.
            let _ = writeln!(std::io::stderr(), "\nnot ended after {limit} s: a test hangs, one of those named above");
            std::process::exit(1);
        });
    });
}

/// Tries `launch` up to five times. Panics with the last error.
pub(crate) async fn again<T>(launch: impl AsyncFn() -> Result<T, String>) -> T {
    let mut failure = String::new();
    for _ in 0..5 {
        match launch().await {
            Ok(started) => return started,
            Err(error) => failure = error,
        }
    }
    panic!("{failure}");
}

/// Waits until a server is `done`.
pub(crate) async fn until(mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Creates a temporary folder. The supervisor of the server that uses it removes it.
pub(crate) fn folder(prefix: &str) -> PathBuf {
    tempfile::Builder::new().prefix(prefix).tempdir().expect("a temporary folder").keep()
}
