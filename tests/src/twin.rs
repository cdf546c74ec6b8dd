//! A second process of this test binary, which takes JSON lines.

use std::io::Write;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::peers::Dialogue;

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
