//! Explains to people what an answer depends on, and how to narrow that.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::derive::derive_explained;
use super::occurrence::{LeftOut, Occurrence};
use super::scheme::Scheme;
use crate::param::Params;
use crate::statement::Tokens;

/// The most tags that people see of one table.
const SHOWN_TAGS: usize = 8;

/// The most characters that people see of a condition.
const SHOWN_CHARS: usize = 80;

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
#[non_exhaustive]
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
#[non_exhaustive]
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
    let tokens = Tokens::read(sql);
    let (refusal, clock) = (tokens.check(false).err(), tokens.clock());
    let template = derive_explained(tokens, default_schema);
    Explanation {
        is_cacheable: refusal.is_none(),
        not_cacheable: refusal.map(|refusal| refusal.to_string()),
        is_followable: template.followable().is_ok(),
        not_followable: template.followable().err().map(ToString::to_string),
        clock,
        occurrences: template.occurrences().iter().map(|occurrence| of(occurrence, params)).collect(),
    }
}

fn of(occurrence: &Occurrence, params: &Params) -> ExplainedOccurrence {
    let mut tags = Vec::new();
    occurrence.tags(params, &mut String::new(), &mut tags);
    let text = |of: Option<String>| of.unwrap_or_default();
    let scheme = text(tags.first().map(|one| one.scheme.columns.clone()));
    let mut left_out = occurrence.left_out().to_vec();
    left_out.extend(occurrence.left_out_of(params));
    ExplainedOccurrence {
        table: occurrence.table().to_string(),
        scheme,
        scheme_tag: text(tags.first().map(|one| one.scheme.name.tag.to_string())),
        table_tag: occurrence.table().tag().to_string(),
        tags: tags.iter().map(|one| one.tag.to_string()).collect(),
        unsure: occurrence.unsure().map(str::to_owned).collect(),
        left_out,
    }
}

/// Has the members `condition`, `why` (a word), `reason` and `advice` (texts for people).
impl Serialize for LeftOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("LeftOut", 4)?;
        out.serialize_field("condition", &self.condition)?;
        out.serialize_field("why", &self.why)?;
        out.serialize_field("reason", self.why.text())?;
        out.serialize_field("advice", &self.why.advice())?;
        out.end()
    }
}

/// Begins each part at the left margin. Its lines are indented, with a label of 10 characters.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.not_cacheable {
            None => writeln!(f, "cacheable   yes")?,
            Some(why) => writeln!(f, "cacheable   no: {why}")?,
        }
        match &self.not_followable {
            None => writeln!(f, "followable  yes")?,
            Some(why) => writeln!(f, "followable  no, the entry only expires: {why}")?,
        }
        if let Some(clock) = &self.clock {
            writeln!(f, "clock       `{clock}` isn't followed: the answer may be as old as the TTL")?;
            writeln!(f, "            → pass the time as a param, rounded to the precision that you need")?;
        }
        if self.is_followable && self.occurrences.is_empty() {
            writeln!(f, "tables      none")?;
        }
        self.occurrences.iter().try_for_each(|occurrence| write!(f, "\n{occurrence}"))
    }
}

impl fmt::Display for ExplainedOccurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.scheme.is_empty() { "every change" } else { "a changed row with such a tag" };
        writeln!(f, "{}: {which} invalidates the entry", self.table)?;
        for tag in self.tags.iter().take(SHOWN_TAGS) {
            writeln!(f, "  tag       {tag}")?;
        }
        if let Some(more @ 1..) = self.tags.len().checked_sub(SHOWN_TAGS) {
            writeln!(f, "            and {more} more")?;
        }
        if !self.scheme.is_empty() {
            writeln!(f, "  scheme    {}", self.scheme)?;
        }
        for (column, class) in Scheme::parse(&self.scheme).iter().flat_map(Scheme::columns) {
            writeln!(f, "  exact if  `{column}` is {}", class.columns())?;
            if self.unsure.iter().any(|unsure| unsure == column) {
                writeln!(f, "            and of this table, not of an outer query")?;
                writeln!(f, "            → write the table or its alias before the column")?;
            }
        }
        self.left_out.iter().try_for_each(|one| one.fmt(f))
    }
}

impl LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.condition.char_indices().nth(SHOWN_CHARS);
        let shown = cut.and_then(|(at, _)| self.condition.get(..at));
        let (shown, more) = shown.map_or((&*self.condition, ""), |shown| (shown, "…"));
        writeln!(f, "  left out  `{shown}{more}`")?;
        writeln!(f, "            {}", self.why.text())?;
        self.why.advice().map_or(Ok(()), |advice| writeln!(f, "            → {advice}"))
    }
}
