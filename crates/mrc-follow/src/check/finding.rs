//! The findings of a check.

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
