//! `mrc follow --check`: what the servers and the rules lack.

use clap::builder::styling::AnsiColor;
use mrc::follow::{Finding, Follower, Severity};
use serde::Serialize;

use crate::error::Failure;
use crate::output::{Output, counted};

pub(super) async fn run(follower: &Follower, output: &Output) -> Result<(), Failure> {
    let findings = follower.check().await?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if output.is_json() {
        let findings = findings.iter().map(Found::from).collect();
        output.document(&Checked { is_fit: errors == 0, findings })?;
    } else if findings.is_empty() {
        output.result(b"nothing is missing")?;
    } else {
        output.result(text(&findings, *output).as_bytes())?;
    }
    if errors == 0 { Ok(()) } else { Err(Failure::Unfit { errors: counted(errors as u64, "error") }) }
}

fn text(findings: &[Finding], output: Output) -> String {
    let lines = findings.iter().map(|finding| {
        let colour = if finding.severity == Severity::Error { AnsiColor::Red } else { AnsiColor::Yellow };
        let word = output.styled(colour.on_default().bold(), word(finding.severity));
        let fix = finding.fix.iter().map(|fix| format!("\n    {fix}"));
        format!("{word}: {}{}", finding.what, fix.collect::<String>())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    /// Whether there is no error. Warnings don't count.
    is_fit: bool,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    severity: &'static str,
    what: &'a str,
    fix: Option<&'a str>,
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self { severity: word(finding.severity), what: &finding.what, fix: finding.fix.as_deref() }
    }
}
