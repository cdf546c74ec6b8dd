//! The harness of the live tests: real servers, the published peers, and a proxy that breaks wires.
//!
//! Every server is a process of its own, on a free port of 127.0.0.1, with a temporary folder.
//! The server ends with the test process, even if that is killed with SIGKILL (see [`process`]).
//!
//! ```no_run
//! # async fn test() {
//! use mrc_tests::{Database, Proxy, Redis};
//!
//! let redis = Redis::shared().await; // one server for all tests of this process: use random names
//! let database = Database::create().await; // a fresh database on the process's one server
//! let wire = Proxy::to(redis.port()).await; // counts commands, goes silent, closes, answers garbage
//! # let _ = (database.url(), wire.commands());
//! # }
//! ```
#![expect(clippy::expect_used, clippy::panic, reason = "a harness that cannot start its servers has nothing to return")]

mod cluster;
mod kinds;
mod machine;
mod names;
mod peers;
pub mod process;
mod proxy;
mod redis;
mod resp;
mod sql;
mod tls;

pub use cluster::{RedisCluster, RedisSentinel};
pub use kinds::{CacheKind, SqlKind};
pub use machine::Machine;
pub use names::{cases, free_port, numbers, slow_query, unique};
pub use peers::{Peer, Twin};
pub use proxy::{Listener, Mode, Proxy};
pub use redis::Redis;
pub use resp::redis_command;
pub use sql::{Database, SqlServer, running, until_ended, until_running};
