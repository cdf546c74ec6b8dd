//! The outages of a run.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Redis,
    MySql,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// SIGKILL. At the end the server is started again: Redis empty, MySQL with its data.
    Killed,
    /// SIGSTOP: connections stay open and nothing answers. At the end SIGCONT.
    Wedged,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) length: Duration,
    pub(crate) outage: Option<(Server, Blow)>,
    /// Whether MySQL is away, or was in the phase before. Errors are then the right answer.
    pub(crate) after_mysql: bool,
}

/// Returns the whole run. A recovery follows each outage.
pub(crate) fn phases(quick: bool) -> Vec<Phase> {
    use Blow::{Killed, Wedged};
    use Server::{MySql, Redis};
    let outage = |server, blow| Some((server, blow));
    let plan = [
        ("before", 30, None, false),
        ("Redis killed", 60, outage(Redis, Killed), false),
        ("Redis is back, empty", 40, None, false),
        ("MySQL killed", 60, outage(MySql, Killed), true),
        ("MySQL is back", 40, None, true),
        ("Redis wedged", 20, outage(Redis, Wedged), false),
        ("Redis goes on", 25, None, false),
        ("MySQL wedged", 20, outage(MySql, Wedged), true),
        ("MySQL goes on", 25, None, true),
    ];
    let length = |seconds| Duration::from_secs(seconds) / if quick { 10 } else { 1 };
    let phase = |(name, seconds, outage, after_mysql)| Phase { name, length: length(seconds), outage, after_mysql };
    plan.into_iter().map(phase).collect()
}
