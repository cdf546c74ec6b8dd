//! The pipe to a contender in any language: JSON lines.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Res;
use crate::args::{Contender, Following, Runtime, Way};
use crate::data::Urls;
use crate::results::Work;

/// A contender's process. The process ends when this is dropped.
pub(crate) struct Peer {
    name: String,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Peer {
    pub(crate) fn npm(urls: &Urls) -> Res<Self> {
        let mut command = Command::new("node");
        command.arg(script("peer.cjs")).args([&urls.redis, &urls.mysql]).env("NODE_PATH", installed("node_modules"));
        Self::start("npm", &mut command)
    }

    pub(crate) fn pypi(urls: &Urls) -> Res<Self> {
        Self::python("pypi", "peer.py", &urls.redis, &urls.mysql)
    }

    /// Starts redis-py, with keys and JSON by hand.
    pub(crate) fn mget(urls: &Urls) -> Res<Self> {
        Self::python("redis-py", "mget.py", &urls.redis, "")
    }

    /// Starts the PyPI package of functions with dependencies, with its async or sync decorator.
    pub(crate) fn simple_dep(urls: &Urls, is_async: bool) -> Res<Self> {
        let (name, mode) = if is_async { ("simple-dep", "async") } else { ("simple-dep-sync", "sync") };
        Self::python(name, "simple_dep.py", &urls.redis, mode)
    }

    /// Starts the PyPI package of bounded caches, with its async or sync decorator.
    pub(crate) fn func_cache(urls: &Urls, is_async: bool) -> Res<Self> {
        let (name, mode) = if is_async { ("func-cache", "async") } else { ("func-cache-sync", "sync") };
        Self::python(name, "func_cache.py", &urls.redis, mode)
    }

    fn python(name: &str, program: &str, redis: &str, further: &str) -> Res<Self> {
        let mut command = Command::new(installed("venv/bin/python"));
        Self::start(name, command.arg(script(program)).args([redis, further]))
    }

    pub(crate) fn rust(way: Way, runtime: Runtime, urls: &Urls) -> Res<Self> {
        Self::by_client(way, runtime, urls, "fred")
    }

    /// Starts this binary as a contender whose stores use this Redis client.
    pub(crate) fn by_client(way: Way, runtime: Runtime, urls: &Urls, client: &str) -> Res<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("contender").arg(json!(Contender { way, runtime, urls: urls.clone() }).to_string());
        Self::start(&format!("{way:?}-{runtime:?}").to_lowercase(), command.env("MRC_REDIS_CLIENT", client))
    }

    pub(crate) fn follower(task: &Following) -> Res<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::start("follower", command.arg("follower").arg(json!(task).to_string()))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn work(&mut self, request: &Value) -> Res<Work> {
        self.ask(request).await
    }

    /// Measures hits: `calls` in all, by `callers` callers. The answers must match `expected`.
    pub(crate) async fn hits(&mut self, query: &str, callers: u32, calls: u64, expected: [u64; 2]) -> Res<Work> {
        let request = json!({"op": "hit", "query": query, "callers": callers, "calls": calls});
        self.calls(&request, expected).await
    }

    /// Measures calls, each of which must have seen one of the numbers of `expected`.
    pub(crate) async fn calls(&mut self, request: &Value, expected: [u64; 2]) -> Res<Work> {
        let work = self.work(request).await?;
        let each = work.seen / work.calls.max(1);
        if expected.contains(&each) {
            Ok(work)
        } else {
            Err(format!("{} saw {each} a call, not {expected:?}", self.name).into())
        }
    }

    /// Sends any other request.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Res<T> {
        self.requests.write_all(format!("{request}\n").as_bytes()).await?;
        let line = self.answers.next_line().await?.ok_or_else(|| format!("{} ended on {request}", self.name))?;
        serde_json::from_str(&line).map_err(|error| format!("{}: {error} in {line}", self.name).into())
    }

    fn start(name: &str, command: &mut Command) -> Res<Self> {
        let spawned = command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = spawned.map_err(|error| format!("{name}: {error}; scripts/setup installs what is missing"))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the contender has no pipes".into());
        };
        Ok(Self { name: name.into(), requests, answers: BufReader::new(answers).lines(), _child: child })
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// Returns the path of a file where scripts/setup puts the peers.
fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers").join(path)
}
