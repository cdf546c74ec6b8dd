//! One table factor of a statement: the table, and the equalities that a row must meet to matter.

use std::sync::OnceLock;

use super::class::Class;
use super::name::TableName;
use super::refusal::LeftOutReason;
use super::scheme_tag::Known;
use crate::param::Params;

/// A table that a statement reads, at one place in the text.
#[derive(Debug, Clone)]
pub struct Occurrence {
    pub(super) table: TableName,
    /// The conditions that narrow the rows, sorted by their columns.
    pub(super) conditions: Vec<Condition>,
    left_out: Vec<LeftOut>,
    /// The scheme of the first call. Most calls have the same.
    pub(super) first: OnceLock<Known>,
}

/// A condition that a row must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// The name in lower case.
    pub(super) column: String,
    /// The name as tags have it.
    pub(super) escaped: String,
    /// The condition as the parser writes it. Empty unless people asked.
    pub(super) text: String,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The condition as the parser writes it.
    pub condition: String,
    /// The reason.
    pub why: LeftOutReason,
}

impl Occurrence {
    pub(super) fn new(table: TableName, mut conditions: Vec<Condition>, left_out: Vec<LeftOut>) -> Self {
        conditions.sort_by(|one, other| one.column.cmp(&other.column));
        Self { table, conditions, left_out, first: OnceLock::new() }
    }

    /// Returns the table.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// Returns the conditions that don't narrow the rows, if people asked.
    pub(super) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Returns the columns whose names may be an outer query's. The follower finds out: for a table
    /// without such a column, every change takes every entry of the scheme.
    pub fn unsure(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter(|condition| !condition.is_confirmed).map(|condition| &*condition.column)
    }

    /// Returns the conditions that don't count in a call, because of their constants.
    pub(super) fn left_out_of(&self, params: &Params) -> impl Iterator<Item = LeftOut> {
        let counting = self.counting(params);
        let others = self.conditions.iter().enumerate().filter(move |(at, _)| !counting.contains(at));
        others.map(|(_, condition)| LeftOut {
            condition: condition.text.clone(),
            // With constants of a class, only the number of the tags is in the way.
            why: condition.constants(params).err().unwrap_or(LeftOutReason::TooMany),
        })
    }
}
