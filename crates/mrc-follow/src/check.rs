//! Checks the server and the rules, and names the statements that mend them.

mod grants;
mod settings;
mod tables;

use self::grants::Grants;
use crate::event::Flavor;
use crate::follower::QUESTION;
use crate::lease::books;
use crate::rules::Server;
use crate::source::{Session, SourceError};
use crate::{FollowError, Follower};

pub(crate) use self::settings::obstacle;

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
    fn error(what: impl Into<String>, fix: impl Into<Option<String>>) -> Self {
        Self { severity: Severity::Error, what: what.into(), fix: fix.into() }
    }

    fn warning(what: impl Into<String>, fix: impl Into<Option<String>>) -> Self {
        Self { severity: Severity::Warning, what: what.into(), fix: fix.into() }
    }
}

impl Follower {
    /// Returns what the server and the rules lack: settings, privileges, tables, columns. Changes
    /// nothing. The errors come first.
    ///
    /// The columns and the foreign keys of a table are checked if the user has SELECT and
    /// REFERENCES for it. To follow, the user needs REPLICATION SLAVE alone.
    ///
    /// # Errors
    /// - [`FollowError::Store`]: the cache is away, or refuses the follower's keys.
    /// - [`FollowError::Database`]: the database is away, or refuses the login.
    pub async fn check(&self) -> Result<Vec<Finding>, FollowError> {
        let inner = &self.inner;
        books(&*inner.store)?.checkpoint(&inner.config.name).await?;
        // The error of a first connection is typed, and says how to mend it.
        drop(inner.mysql.connect().await?);
        let checked = async {
            let mut session = Session::open(&inner.mysql, QUESTION).await?;
            let mut findings = settings::check(&mut session).await?;
            let grants = Grants::read(&mut session).await?;
            findings.extend(grants.check());
            let case = session.value("SELECT @@GLOBAL.lower_case_table_names").await?;
            let mariadb = session.flavor() == Flavor::MariaDb;
            let rules = inner.rules.clone().server(Server { mariadb, ignore_case: case.as_deref() != Some("0") });
            for table in rules.tables() {
                findings.extend(tables::check(table, &rules, &grants, &mut session).await?);
            }
            Ok(findings)
        };
        let mut findings = checked.await.map_err(failed)?;
        findings.sort_by_key(|finding| finding.severity == Severity::Warning);
        Ok(findings)
    }
}

fn failed(error: SourceError) -> FollowError {
    match error {
        SourceError::Refused(error) => error.into(),
        error => FollowError::Server(error.to_string()),
    }
}
