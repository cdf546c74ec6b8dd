//! The flags of `mrc follow`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ArgGroup;
use mrc::follow::{Position, Start};

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("instead").args(["check", "status"]).conflicts_with_all(["once", "dry_run", "from", "listen"])))]
pub(crate) struct FollowArgs {
    /// The file with the name, the server_id, and the rules or `auto = true`, in TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only print what the servers and the rules lack, with the statements that mend it
    #[arg(long)]
    pub(crate) check: bool,
    /// Only print the position in Redis, and whether a follower runs; MySQL isn't asked
    #[arg(long)]
    pub(crate) status: bool,
    /// End when everything is applied that was committed before the start
    #[arg(long)]
    pub(crate) once: bool,
    /// Invalidate nothing and store no position; print what would be invalidated
    ///
    /// It draws a server_id of its own, so it may run beside the follower.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where to begin: now, or behind these GTIDs, as the server prints them [default: the position
    /// in Redis]
    ///
    /// `now` skips what was committed since the position in Redis. When the process takes the lease
    /// again, it goes on at the position in Redis.
    #[arg(long, value_name = "now|GTIDS", value_parser = start)]
    pub(crate) from: Option<Start>,
    /// Answer /metrics, /healthz and /readyz here, without a password; a port alone is on 127.0.0.1
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
}

fn start(text: &str) -> Result<Start, String> {
    let text = text.trim();
    let position = match text {
        "now" => return Ok(Start::Now),
        "" => return Err("it is empty: write now, or GTIDs".into()),
        _ if text.starts_with("mysql:") || text.starts_with("mariadb:") => text.parse(),
        // MariaDB's GTIDs are three numbers: 0-11-20.
        _ if text.contains(':') => Position::of_mysql(text),
        _ => Position::of_mariadb(text),
    };
    position.map(Start::Behind).map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse()).map_err(|_| "it is a port, or an address and a port: 9184, 0.0.0.0:9184".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_now_or_gtids_of_either_server() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let check = |text: &str, expect: &str| match start(text) {
            Ok(Start::Behind(position)) => assert_eq!(position.to_string(), expect, "{text}"),
            Ok(start) => assert_eq!(format!("{start:?}"), expect, "{text}"),
            Err(error) => assert!(error.contains(expect), "{text}: {error}"),
        };
        check("now", "Now");
        check(&format!("{uuid}:1-5"), &format!("mysql:{uuid}:1-5"));
        check(&format!("mysql:{uuid}:1-5"), &format!("mysql:{uuid}:1-5"));
        check("0-11-20,5-11-2", "mariadb:0-11-20,5-11-2");
        check("", "empty");
        check("yesterday", "no position");
    }

    #[test]
    fn a_port_alone_is_on_loopback() {
        assert_eq!(address("9184").unwrap().to_string(), "127.0.0.1:9184");
        assert_eq!(address("0.0.0.0:1").unwrap().to_string(), "0.0.0.0:1");
        assert!(address("nowhere:99999").is_err());
    }
}
