//! Checks the server and the rules, and names the statements that mend them.

pub(crate) mod settings;
mod tables;

use self::tables::Grants;
use crate::lease::books;
use crate::source::{QUESTION, Session, SourceError};
use crate::{FollowError, Follower};

pub use self::settings::{Finding, Severity};

impl Follower {
    /// Returns what the server and the rules lack: settings, privileges, tables, columns. Changes
    /// nothing. The errors come first.
    ///
    /// The columns and the foreign keys of a table are checked if the user has SELECT and
    /// REFERENCES for it. To follow, the user needs REPLICATION SLAVE, and REFERENCES if foreign
    /// keys change rows of followed tables.
    ///
    /// # Errors
    /// - [`FollowError::Store`]: the cache is away, or refuses the follower's keys.
    /// - [`FollowError::Database`]: the database is away, or refuses the login.
    pub async fn check(&self) -> Result<Vec<Finding>, FollowError> {
        let inner = &self.inner;
        books(&*inner.store)?.checkpoint(&inner.config.name).await?;
        if let Some(schemes) = inner.store.as_schemes().filter(|_| inner.config.auto) {
            schemes.registry(None).await?;
        }
        // The error of a first connection is typed, and says how to mend it.
        drop(inner.mysql.connect().await?);
        let checked = async {
            let mut session = Session::open(&inner.mysql, QUESTION).await?;
            let mut findings = settings::check(&mut session).await?;
            let grants = Grants::read(&mut session).await?;
            findings.extend(grants.check());
            if inner.config.auto {
                findings.extend(grants.check_keys(session.flavor));
            }
            let rules = session.rules(&inner.rules).await?;
            for table in rules.tables() {
                findings.extend(tables::check(table, &rules, &grants, &mut session).await?);
            }
            Ok(findings)
        };
        let mut findings = checked.await.map_err(|error| match error {
            SourceError::Refused(error) => error.into(),
            error => FollowError::Server(error.to_string()),
        })?;
        findings.sort_by_key(|finding| finding.severity == Severity::Warning);
        Ok(findings)
    }
}
