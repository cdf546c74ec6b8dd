//! Runs the binary, and reads its output.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The output of one run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Returns the one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns `[kind, message]` of the one JSON document on stderr. stdout must be empty.
    pub(crate) fn error(&self) -> [String; 2] {
        assert_eq!(self.stdout, "", "{self:?}");
        let error: Value = serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        ["kind", "message"].map(|name| error["error"][name].as_str().unwrap().to_owned())
    }

    /// Returns the result of a run that succeeded.
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line break ends {self:?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs `mrc` with nothing on stdin.
pub(crate) async fn mrc(args: &[&str]) -> Run {
    mrc_with(args, &[], "").await
}

/// Runs `mrc` with environment variables, and with a text on stdin.
pub(crate) async fn mrc_with(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
    let mut child = command(args).envs(env.iter().copied()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    let writer = tokio::spawn(async move {
        // The write may fail: a program that has read enough closes its stdin.
        let _ = input.write_all(text.as_bytes()).await;
    });
    let output = child.wait_with_output().await.unwrap();
    writer.await.unwrap();
    output.into()
}

/// Runs a line of a shell in which `mrc` is the binary.
pub(crate) async fn shell(line: &str) -> Run {
    let mut command = bare("sh");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_mrc")).parent().unwrap();
    let path = std::env::join_paths(
        [folder.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    command.args(["-c", line]).env("PATH", path.unwrap()).output().await.unwrap().into()
}

/// Returns `mrc` with pipes on all sides, without the environment's variables of mrc.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = bare(env!("CARGO_BIN_EXE_mrc"));
    command.args(args);
    command
}

fn bare(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MRC_")) {
        command.env_remove(name);
    }
    command
}

#[cfg(unix)]
pub(crate) fn signal(child: &tokio::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
