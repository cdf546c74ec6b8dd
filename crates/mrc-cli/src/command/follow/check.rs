//! `mrc follow`: `--check`, what the servers and the rules lack; `--status`, what Redis knows.

use std::collections::HashSet;

use clap::builder::styling::AnsiColor;
use mrc::follow::rules::FollowConfig;
use mrc::follow::{Finding, Follower, Severity};
use mrc::key::depends::SchemeName;
use mrc::store::{CacheStore, Checkpoints, RedisStore, Registry, Schemes};
use serde::Serialize;

use crate::error::Failure;
use crate::output::{Output, counted};

pub(super) async fn check(follower: &Follower, output: &Output) -> Result<(), Failure> {
    let findings = follower.check().await?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if output.is_json() {
        let found = findings.iter().map(|Finding { severity, what, fix, .. }| Found {
            severity: word(*severity),
            what,
            fix: fix.as_deref(),
        });
        let findings = found.collect();
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

pub(super) async fn status(config: &FollowConfig, store: &RedisStore, output: &Output) -> Result<(), Failure> {
    let name = &*config.name;
    let found = store.checkpoint(name).await;
    let registry =
        if config.auto { store.registry(None).await.map(Option::unwrap_or_default).map(Some) } else { Ok(None) };
    store.close().await;
    let found = found?.ok_or_else(|| Failure::NoPosition { name: name.to_owned() })?;
    let schemes = registry?.map(|registry| (registry.schemes.len(), tables(&registry)));
    let (age_seconds, lag_seconds) = (found.age.as_secs_f64(), found.lag.as_secs_f64());
    if output.is_json() {
        let (position, leader) = (&*found.position, found.leader.as_deref());
        let (schemes, tables) = schemes.unzip();
        return output.document(&Stored { name, position, age_seconds, lag_seconds, leader, schemes, tables });
    }
    let leader = found.leader.as_deref().unwrap_or("none: no follower runs");
    let mut text = format!(
        "follower  {name}\nposition  {}\nage       {age_seconds:.1} s\nlag       {lag_seconds:.1} s\nleader    {leader}",
        found.position
    );
    if let Some((schemes, tables)) = schemes {
        text += &format!("\nschemes   {schemes} of {}", counted(tables as u64, "table"));
    }
    output.result(text.as_bytes())
}

#[derive(Serialize)]
struct Stored<'a> {
    name: &'a str,
    position: &'a str,
    /// The time since a follower wrote or confirmed the position.
    age_seconds: f64,
    /// The time from the newest commit up to the position to its invalidation.
    lag_seconds: f64,
    /// The random name of the process that has the lease.
    leader: Option<&'a str>,
    /// With `auto`: the conditions on rows that readers have registered, and their tables.
    schemes: Option<usize>,
    tables: Option<usize>,
}

fn tables(registry: &Registry) -> usize {
    registry.schemes.iter().map(SchemeName::of_table).collect::<HashSet<_>>().len()
}
