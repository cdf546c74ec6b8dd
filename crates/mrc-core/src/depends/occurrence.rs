//! One table factor of a statement: the table, and the equalities that a row must meet to matter.

use std::sync::{Arc, OnceLock};

use super::class::Class;
use super::name::{TableName, escape, finish};
use super::refusal::LeftOutReason;
use super::value;
use crate::param::Params;
use crate::tag::Tag;
use crate::value::Value;

/// The most tags of an occurrence in one call. More values leave their column out.
const MOST_TAGS: usize = 64;

/// A table that a statement reads, at one place in the text.
#[derive(Debug)]
pub struct Occurrence {
    table: TableName,
    table_tag: Tag,
    /// The conditions that narrow the rows, sorted by their columns.
    conditions: Vec<Condition>,
    left_out: Vec<LeftOut>,
    /// The scheme of the first call. Most calls have the same.
    first: OnceLock<Known>,
}

/// A condition that a row must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// The name in lower case.
    pub(super) column: String,
    /// The constants. Empty for `IS NULL`.
    pub(super) sources: Vec<Source>,
    /// Whether the column is the table's for sure. Otherwise the name may be an outer query's.
    pub(super) is_confirmed: bool,
    /// Whether the condition stands in an `ON`.
    pub(super) is_on: bool,
}

/// Where a constant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A literal: its class and its text in a tag.
    Literal(Class, String),
    /// The param at this index.
    Param(usize),
}

/// A condition that doesn't narrow the rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The condition as the parser writes it.
    pub condition: String,
    /// The reason.
    pub why: LeftOutReason,
}

/// The dependency of an entry through one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeTag {
    /// The table, `shop.orders`.
    pub table: Arc<str>,
    /// The columns with the classes of their constants: `state:text,store_id:int`. Empty if no
    /// condition narrows the rows.
    pub scheme: Arc<str>,
    /// The tag of the rows that meet the conditions: `t:shop.orders?state=open&store_id=6`.
    pub tag: Tag,
    /// The tag of every entry of the scheme: `t:shop.orders?state:text,store_id:int`.
    pub scheme_tag: Tag,
    /// The tag of every entry of the table: `t:shop.orders`.
    pub table_tag: Tag,
}

/// A scheme as calls share it.
#[derive(Debug, Clone)]
struct Known {
    /// The indexes of the conditions with their classes.
    columns: Vec<(usize, Class)>,
    table: Arc<str>,
    scheme: Arc<str>,
    scheme_tag: Tag,
}

/// The constants of one condition in one call.
struct Constants {
    at: usize,
    class: Class,
    /// Where each text ends.
    ends: Vec<usize>,
    texts: String,
}

impl Occurrence {
    pub(super) fn new(table: TableName, mut conditions: Vec<Condition>, left_out: Vec<LeftOut>) -> Self {
        conditions.sort_by(|one, other| one.column.cmp(&other.column));
        Self { table_tag: table.tag(), table, conditions, left_out, first: OnceLock::new() }
    }

    /// Returns the table.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// Returns the conditions that don't narrow the rows, with the reasons.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Returns the columns whose names may be an outer query's. The follower finds out: for a table
    /// without such a column, every change takes every entry of the scheme.
    pub fn unsure(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter(|condition| !condition.is_confirmed).map(|condition| &*condition.column)
    }

    /// Returns the columns that don't count in a call, because of their constants.
    pub(super) fn columns_missing(&self, params: &Params) -> impl Iterator<Item = String> {
        let counting: Vec<usize> = self.constants(params).iter().map(|one| one.at).collect();
        let conditions = self.conditions.iter().enumerate();
        conditions.filter(move |(at, _)| !counting.contains(at)).map(|(_, condition)| condition.column.clone())
    }

    /// Appends the tags of a call.
    pub(super) fn tags(&self, params: &Params, out: &mut Vec<SchemeTag>) {
        let constants = self.constants(params);
        let is_first = |first: &&Known| {
            let columns = first.columns.iter().copied();
            columns.eq(constants.iter().map(|constants| (constants.at, constants.class)))
        };
        let known = match self.first.get().filter(is_first) {
            Some(first) => first,
            None => {
                let known = self.known(&constants);
                // If another call was the first meanwhile, this one is the only user of its scheme.
                _ = self.first.set(known.clone());
                &known.clone()
            }
        };
        let mut combination = vec![0; constants.len()];
        loop {
            out.push(SchemeTag {
                table: known.table.clone(),
                scheme: known.scheme.clone(),
                tag: self.tag(&constants, &combination),
                scheme_tag: known.scheme_tag.clone(),
                table_tag: self.table_tag.clone(),
            });
            if !next(&mut combination, &constants) {
                return;
            }
        }
    }

    /// Returns the constants of a call, of the conditions that count in it.
    fn constants(&self, params: &Params) -> Vec<Constants> {
        let mut all = Vec::with_capacity(self.conditions.len());
        all.extend(self.conditions.iter().enumerate().filter_map(|(at, condition)| condition.constants(at, params)));
        let combinations = |all: &[Constants]| all.iter().map(|one| one.ends.len()).fold(1, usize::saturating_mul);
        while combinations(&all) > MOST_TAGS {
            let most = all.iter().enumerate().max_by_key(|(_, one)| one.ends.len()).map(|(at, _)| at);
            most.map(|at| all.remove(at));
        }
        all
    }

    fn known(&self, constants: &[Constants]) -> Known {
        let mut scheme = String::new();
        for one in constants {
            if !scheme.is_empty() {
                scheme.push(',');
            }
            escape(self.column(one.at), "", &mut scheme);
            scheme.push(':');
            scheme.push_str(&one.class.to_string());
        }
        let mut scheme_tag = self.table.begin(scheme.len());
        scheme_tag.push_str(&scheme);
        Known {
            columns: constants.iter().map(|one| (one.at, one.class)).collect(),
            table: self.table.to_string().into(),
            scheme: scheme.into(),
            scheme_tag: finish(scheme_tag),
        }
    }

    fn column(&self, at: usize) -> &str {
        self.conditions.get(at).map_or("", |condition| &condition.column)
    }

    fn tag(&self, constants: &[Constants], combination: &[usize]) -> Tag {
        let mut text = self.table.begin(32 * constants.len());
        for (index, (one, &at)) in constants.iter().zip(combination).enumerate() {
            let start = at.checked_sub(1).and_then(|before| one.ends.get(before)).copied().unwrap_or(0);
            let value = one.ends.get(at).and_then(|&end| one.texts.get(start..end)).unwrap_or_default();
            push_column(index, self.column(one.at), one.class, value, &mut text);
        }
        finish(text)
    }
}

/// Appends `column=value` to the text of a tag.
pub(super) fn push_column(index: usize, column: &str, class: Class, value: &str, text: &mut String) {
    if index > 0 {
        text.push('&');
    }
    escape(column, "", text);
    text.push('=');
    class.mark(text);
    text.push_str(value);
}

/// Steps to the next combination of values. Returns false after the last.
fn next(combination: &mut [usize], constants: &[Constants]) -> bool {
    for (at, one) in combination.iter_mut().zip(constants) {
        *at += 1;
        if *at < one.ends.len() {
            return true;
        }
        *at = 0;
    }
    false
}

impl Condition {
    /// Returns the constants of a call. Returns `None` if one of them has no class, or if they have
    /// none in common.
    fn constants(&self, at: usize, params: &Params) -> Option<Constants> {
        let mut all = Constants { at, class: Class::Null, ends: Vec::new(), texts: String::new() };
        if self.sources.is_empty() {
            all.texts.push_str(value::NULL);
            all.ends.push(all.texts.len());
            return Some(all);
        }
        let count = |source: &Source| match source {
            Source::Param(at) => match param(params, *at) {
                Some(Value::List(items)) => items.len(),
                _ => 1,
            },
            Source::Literal(..) => 1,
        };
        if self.sources.iter().map(count).fold(0, usize::saturating_add) > MOST_TAGS {
            return None;
        }
        let mut class = None;
        for source in &self.sources {
            match source {
                Source::Literal(of, text) => {
                    all.texts.push_str(text);
                    all.push(&mut class, *of)?;
                }
                Source::Param(at) => {
                    let value = param(params, *at)?;
                    for item in if let Value::List(items) = value { items } else { std::slice::from_ref(value) } {
                        let of = value::param(item, &mut all.texts)?;
                        all.push(&mut class, of)?;
                    }
                }
            }
        }
        all.class = class?;
        Some(all)
    }
}

fn param(params: &Params, at: usize) -> Option<&Value> {
    params.iter().nth(at).map(|param| &param.value)
}

impl Constants {
    fn push(&mut self, class: &mut Option<Class>, of: Class) -> Option<()> {
        *class = Some(class.map_or(Some(of), |class| class.join(of))?);
        self.ends.push(self.texts.len());
        Some(())
    }
}
