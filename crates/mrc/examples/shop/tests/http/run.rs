//! Runs the binary, with a small HTTP client.

use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A running shop.
pub(crate) struct Shop {
    process: Child,
    address: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Shop {
    pub(crate) async fn start(env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
        command.env_remove("MRC_MYSQL_URL").env_remove("MRC_REDIS_URL").env("PORT", "0").envs(env.iter().copied());
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let line = BufReader::new(process.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
        Self { process, address: line.strip_prefix("listening on http://").unwrap().to_owned() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Response {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n");
        let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, "").await
    }

    pub(crate) async fn order(&self, store: u32, item: &str, total: &str) -> Response {
        let order = json!({"total": total, "meta": {"items": [item]}}).to_string();
        self.send("POST", &format!("/stores/{store}/orders"), &order).await
    }

    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.process.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.process.wait().await.unwrap()
    }
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn is_from(&self, source: &str) -> bool {
        self.status == 200 && self.head.contains(&format!("\r\nx-cache: {source}"))
    }
}
