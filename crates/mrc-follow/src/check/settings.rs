//! The settings of the server.

use crate::event::Flavor;
use crate::source::{Session, SourceError};

/// Something that the server or a rule lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The fault, and its consequence.
    pub what: String,
    /// The statement, or the line of a file, that mends it. `None` if nothing can.
    pub fix: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The follower can't run, misses changes, or can't apply a rule as it is written.
    Error,
    /// The follower invalidates more than the changed rows say, or something wasn't checked.
    Warning,
}

impl Finding {
    pub(super) fn error(what: impl Into<String>, fix: impl Into<Option<String>>) -> Self {
        Self { severity: Severity::Error, what: what.into(), fix: fix.into() }
    }

    pub(super) fn warning(what: impl Into<String>, fix: impl Into<Option<String>>) -> Self {
        Self { severity: Severity::Warning, what: what.into(), fix: fix.into() }
    }
}

/// A setting that must have one value. Another value has this consequence.
struct Setting {
    name: &'static str,
    wanted: &'static str,
    /// Whether rules can't be applied as written with another value.
    is_needed: bool,
    consequence: &'static str,
    /// Whether the setting changes only at a restart of the server.
    restart: bool,
}

const LOG: Setting = Setting {
    name: "log_bin",
    wanted: "ON",
    is_needed: true,
    consequence: "the server writes no log of its changes",
    restart: true,
};

const SETTINGS: [Setting; 3] = [
    Setting {
        name: "binlog_format",
        wanted: "ROW",
        is_needed: true,
        consequence: "the log has no rows, and nothing of what triggers and functions change; \
                      sessions that are open keep their format",
        restart: false,
    },
    Setting {
        name: "binlog_row_metadata",
        wanted: "FULL",
        is_needed: true,
        consequence: "the log doesn't name the columns, so every change invalidates everything of its table",
        restart: false,
    },
    Setting {
        name: "binlog_row_image",
        wanted: "FULL",
        is_needed: false,
        consequence: "a changed row may lack a column that counts, and then invalidates more than it changes",
        restart: false,
    },
];

/// Its name on MySQL. MariaDB has the older one.
const REPLICA: Setting = Setting {
    name: "log_replica_updates",
    wanted: "ON",
    is_needed: false,
    consequence: "if the server is a replica, its log lacks the changes that come from its primary",
    restart: true,
};

/// The steps from no GTIDs to GTIDs. A server takes them one at a time.
const GTID_STEPS: [&str; 4] = ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"];

pub(super) async fn check(session: &mut Session) -> Result<Vec<Finding>, SourceError> {
    let mut findings: Vec<_> = LOG.check(session).await?.into_iter().collect();
    // Without a log the server has no updates in it either.
    if findings.is_empty() {
        findings.extend(replica(session).await?);
    }
    findings.extend(position(session).await?);
    for setting in &SETTINGS {
        findings.extend(setting.check(session).await?);
    }
    Ok(findings)
}

/// Returns why the server can't be followed at all, and how to mend it. Returns `None` if it can.
pub(crate) async fn obstacle(session: &mut Session) -> Result<Option<String>, SourceError> {
    let finding = match LOG.check(session).await? {
        Some(finding) => Some(finding),
        None => position(session).await?,
    };
    Ok(finding.map(|Finding { what, fix, .. }| match fix {
        Some(fix) => format!("{what}. {fix}"),
        None => what,
    }))
}

async fn replica(session: &mut Session) -> Result<Option<Finding>, SourceError> {
    if session.flavor == Flavor::MySql {
        return REPLICA.check(session).await;
    }
    // MariaDB's default is OFF, and only a replica has this position.
    let position = value(session, "gtid_slave_pos").await?.unwrap_or_default();
    if position.is_empty() {
        return Ok(None);
    }
    Setting { name: "log_slave_updates", ..REPLICA }.check(session).await
}

async fn position(session: &mut Session) -> Result<Option<Finding>, SourceError> {
    if session.flavor == Flavor::MariaDb {
        return Ok(None);
    }
    let mode = value(session, "gtid_mode").await?.unwrap_or_default();
    let consistency = value(session, "enforce_gtid_consistency").await?.unwrap_or_default();
    Ok(gtids(&mode, &consistency))
}

fn gtids(mode: &str, consistency: &str) -> Option<Finding> {
    let steps = GTID_STEPS.iter().skip_while(|step| **step != mode).skip(1);
    let first = (consistency != "ON").then(|| "SET PERSIST enforce_gtid_consistency = ON;".to_owned());
    let rest = steps.map(|step| format!("SET PERSIST gtid_mode = {step};"));
    let what = format!(
        "gtid_mode is {mode}: without GTIDs there is no position, and no way to wait until readers see a commit"
    );
    let fix: Vec<_> = first.into_iter().chain(rest).collect();
    (mode != "ON").then(|| Finding::error(what, fix.join(" ")))
}

impl Setting {
    async fn check(&self, session: &mut Session) -> Result<Option<Finding>, SourceError> {
        let Self { name, wanted, is_needed, consequence, restart } = self;
        let found = match value(session, name).await?.as_deref() {
            Some("1") => "ON".to_owned(),
            Some("0") => "OFF".to_owned(),
            Some(value) => value.to_owned(),
            None => return Ok(None),
        };
        if found == *wanted {
            return Ok(None);
        }
        let what = format!("{name} is {found}: {consequence}");
        let fix = match (session.flavor, restart) {
            (_, true) => {
                // The name of the log has this setting, and its absence would switch it off.
                let value = if *name == LOG.name { "binlog" } else { wanted };
                let group = if session.flavor == Flavor::MySql { "mysqld" } else { "mariadb" };
                format!("Write `{name} = {value}` under [{group}] in the server's option file, and restart it.")
            }
            (Flavor::MySql, false) => format!("SET PERSIST {name} = {wanted};"),
            (Flavor::MariaDb, false) => {
                format!("SET GLOBAL {name} = {wanted} /* and in the option file, for the next start */;")
            }
        };
        Ok(Some(if *is_needed { Finding::error(what, fix) } else { Finding::warning(what, fix) }))
    }
}

/// Returns a variable's value. Returns `None` if the server doesn't know the variable.
async fn value(session: &mut Session, name: &str) -> Result<Option<String>, SourceError> {
    const UNKNOWN: u32 = 1193;
    match session.value(&format!("SELECT @@GLOBAL.{name}")).await {
        Err(SourceError::Refused(error)) if error.server().is_some_and(|server| server.code == UNKNOWN) => Ok(None),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtids_are_turned_on_from_the_step_where_the_server_is() {
        let fix = |mode, consistency| gtids(mode, consistency).map(|finding| finding.fix.unwrap_or_default());
        assert_eq!(fix("ON", "ON"), None);
        assert_eq!(fix("ON_PERMISSIVE", "ON").as_deref(), Some("SET PERSIST gtid_mode = ON;"));
        assert_eq!(
            fix("OFF", "OFF").as_deref(),
            Some(
                "SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; \
                 SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;"
            )
        );
    }
}
