//! `mrc follow`: its files, its checks, its run, and how it ends.

mod check;
mod runs;

use std::path::PathBuf;
use std::time::Duration;

use mrc_tests::{Database, Redis, unique};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use crate::run::{Run, command, mrc_with};

/// A file of rules, which is removed when it is dropped.
struct RulesFile(PathBuf);

impl RulesFile {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(unique("follow") + ".toml");
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for RulesFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A database, a cache with a prefix of its own, and rules for a table `orders`.
struct Shop {
    database: Database,
    redis: Redis,
    prefix: String,
    rules: RulesFile,
    /// The URLs of the follower.
    mysql: String,
    cache: String,
}

const SQL: &str = "SELECT id FROM orders WHERE store_id = ?";

impl Shop {
    async fn open() -> Self {
        Self::with(Database::logged().await, "tags = [\"orders:{store_id}\"]").await
    }

    /// Opens a shop on a database, with more lines for its rule.
    async fn with(database: Database, rule: &str) -> Self {
        let (follow, table) = (head(), format!("{}.orders", database.name()));
        let text = format!("{follow}\n[[rule]]\ntable = \"{table}\"\nall = \"orders\"\n{rule}\n");
        Self::with_file(database, &text).await
    }

    async fn with_file(database: Database, text: &str) -> Self {
        database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, note JSON)").await;
        let rules = RulesFile::new(text);
        let (mysql, redis) = (database.url(), Redis::shared().await);
        Self { database, cache: redis.url(), redis, prefix: unique("cli") + ":", rules, mysql }
    }

    /// Connects the follower as a user with the rights in the repository.
    async fn limit_rights(&mut self) {
        let user = unique("follower");
        let rights = include_str!("../../../../../deploy/follower.sql");
        self.database.execute(&rights.replace("follower@", &format!("{user}@"))).await;
        self.mysql = format!("mysql://{user}:secret@127.0.0.1:{}", self.database.port());
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [&["follow", "--config", self.rules.path(), "--prefix", &self.prefix], args].concat()
    }

    fn env(&self) -> [(&str, &str); 2] {
        [("MRC_MYSQL_URL", &self.mysql), ("MRC_REDIS_URL", &self.cache)]
    }

    /// Runs `mrc follow` to its end.
    async fn follow(&self, args: &[&str]) -> Run {
        mrc_with(&self.args(args), &self.env(), "").await
    }

    /// Starts `mrc follow`, and waits until it leads and has a position.
    async fn started(&self, args: &[&str]) -> Following {
        let mut following = self.start(args);
        self.until_led(&mut following).await;
        following
    }

    async fn until_led(&self, following: &mut Following) {
        following.line("leads: ").await;
        // The first start invalidates everything before it stores a position.
        while self.follow(&["--status"]).await.code != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn start(&self, args: &[&str]) -> Following {
        let mut child = command(&self.args(args)).envs(self.env()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Following { child, lines }
    }

    /// Caches the orders of a store. Returns the source of the answer: `hit`, `miss`.
    async fn ask(&self, store: u32) -> String {
        let (param, tag) = (format!("StoreId={store}"), format!("orders:{store}"));
        let env = [("MRC_MYSQL_URL", &*self.database.url()), ("MRC_REDIS_URL", &self.cache)];
        let args = ["query", "--sql", SQL, "--param", &param, "--tag", &tag, "--tag", "orders"];
        let run = mrc_with(&[&args[..], &["--prefix", &self.prefix]].concat(), &env, "").await;
        run.text();
        run.stderr.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Waits until the cached orders of a store are invalidated.
    async fn until_invalidated(&self, store: u32) {
        while self.ask(store).await == "hit" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The first lines of a file, with a name and a number of its own.
fn head() -> String {
    let (name, id) = (unique("shop"), rand::random_range(2..u32::MAX));
    format!("[follow]\nname = \"{name}\"\nserver_id = {id}")
}

/// A running `mrc follow`.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Following {
    /// Returns the next line on stderr that contains a text.
    async fn line(&mut self, part: &str) -> String {
        let mut seen = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with {part:?}: {seen:#?}");
    }

    /// Returns the exit code, stdout, and the rest of stderr.
    async fn end(mut self) -> Run {
        let mut stderr = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            stderr += &(line + "\n");
        }
        let Run { code, stdout, .. } = self.child.wait_with_output().await.unwrap().into();
        Run { code, stdout, stderr }
    }
}

/// Asks a path of the follower's listener. Returns the status and the body.
async fn http(address: &str, path: &str) -> (u16, String) {
    let mut wire = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    wire.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
