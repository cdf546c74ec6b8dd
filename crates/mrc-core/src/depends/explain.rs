//! Explains to people what an answer depends on, and how to narrow that.

use std::fmt;

use serde::Serialize;

use super::derive::derive;
use super::occurrence::{LeftOut, Occurrence};
use super::refusal::LeftOutReason;
use crate::param::Params;
use crate::statement;

/// The rows that a call's answer depends on, for people (`Display`) and programs (`Serialize`).
///
/// It quotes the statement, and tags hold values of params.
///
/// ```
/// use mrc_core::{depends::explain, params};
///
/// let sql = "SELECT * FROM orders WHERE store_id = ? AND LOWER(state) = 'open'";
/// let explanation = explain(sql, &params! { "StoreId" => 6 }, Some("shop"));
/// assert_eq!(explanation.occurrences[0].tags, ["t:shop.orders?store_id=6"]);
/// assert_eq!(explanation.occurrences[0].left_out[0].condition, "LOWER(state) = 'open'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether the answer is cached without `trust_read_only()`.
    pub is_cacheable: bool,
    /// The reason why it isn't cached, and what to do instead.
    pub not_cacheable: Option<String>,
    /// Whether changed rows end the entry.
    pub is_followable: bool,
    /// The reason why only the TTL ends it.
    pub not_followable: Option<String>,
    /// The part of the text that reads the clock. No change of a row tells that time passes.
    pub clock: Option<String>,
    /// The tables that the statement reads, one each time that it names a table.
    pub occurrences: Vec<ExplainedOccurrence>,
}

/// The rows that a call's answer depends on through one occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedOccurrence {
    /// The table, `shop.orders`.
    pub table: String,
    /// The columns that narrow the rows, with the classes of their constants.
    pub scheme: String,
    /// The tags of the rows: one for each combination of values.
    pub tags: Vec<String>,
    /// The tag of every entry of the scheme.
    pub scheme_tag: String,
    /// The tag of every entry of the table.
    pub table_tag: String,
    /// Columns that may be an outer query's. Without them in the table, every change of it counts.
    pub unsure: Vec<String>,
    /// The conditions that don't narrow the rows.
    pub left_out: Vec<LeftOut>,
}

/// Explains what the answer of a call depends on. `default_schema` is the connection's database.
pub fn explain(sql: &str, params: &Params, default_schema: Option<&str>) -> Explanation {
    let refusal = statement::check(sql).err();
    let template = derive(sql, default_schema);
    Explanation {
        is_cacheable: refusal.is_none(),
        not_cacheable: refusal.map(|refusal| refusal.to_string()),
        is_followable: template.followable().is_ok(),
        not_followable: template.followable().err().map(ToString::to_string),
        clock: statement::depends_on_clock(sql),
        occurrences: template.occurrences().iter().map(|occurrence| of(occurrence, params)).collect(),
    }
}

fn of(occurrence: &Occurrence, params: &Params) -> ExplainedOccurrence {
    let mut tags = Vec::new();
    occurrence.tags(params, &mut tags);
    let text = |of: Option<String>| of.unwrap_or_default();
    let scheme = text(tags.first().map(|one| one.scheme.to_string()));
    let mut left_out = occurrence.left_out().to_vec();
    // A condition of the text counts only if the values of this call have a class.
    let missing = occurrence.columns_missing(params);
    left_out.extend(missing.map(|condition| LeftOut { condition, why: LeftOutReason::Constant }));
    ExplainedOccurrence {
        table: occurrence.table().to_string(),
        scheme,
        scheme_tag: text(tags.first().map(|one| one.scheme_tag.to_string())),
        table_tag: occurrence.table().tag().to_string(),
        tags: tags.iter().map(|one| one.tag.to_string()).collect(),
        unsure: occurrence.unsure().map(str::to_owned).collect(),
        left_out,
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |f: &mut fmt::Formatter<'_>, what: &str, why_not: &Option<String>| match why_not {
            None => writeln!(f, "{what}: yes"),
            Some(why) => writeln!(f, "{what}: no, {why}"),
        };
        verdict(f, "cacheable", &self.not_cacheable)?;
        verdict(f, "followable", &self.not_followable)?;
        if let Some(clock) = &self.clock {
            writeln!(f, "reads the clock: `{clock}`, so the answer is as old as the TTL allows")?;
        }
        self.occurrences.iter().try_for_each(|occurrence| occurrence.fmt(f))
    }
}

impl fmt::Display for ExplainedOccurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "reads {}", self.table)?;
        if self.scheme.is_empty() {
            writeln!(f, "  every change of the table counts")?;
        } else {
            writeln!(f, "  scheme {}", self.scheme)?;
        }
        self.tags.iter().try_for_each(|tag| writeln!(f, "  tag {tag}"))?;
        for column in &self.unsure {
            writeln!(f, "  unsure `{column}`: if the table has no such column, every change of it counts")?;
        }
        self.left_out.iter().try_for_each(|one| writeln!(f, "  left out `{}`: {}", one.condition, one.why.text()))
    }
}
