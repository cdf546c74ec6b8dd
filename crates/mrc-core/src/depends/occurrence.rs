//! One table factor of a statement: the table, the equalities that a row must meet to matter, and
//! the tags of a call. The tags take one buffer a call, and one allocation a tag.

use std::sync::{Arc, OnceLock};

use super::class::Class;
use super::refusal::LeftOutReason;
use super::scheme::SchemeName;
use super::text::{NULL, TableName, class_of, finish, push_value, unclassed};
use crate::param::Params;
use crate::tag::Tag;
use crate::value::Value;

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
#[non_exhaustive]
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
        let counting = self.constants(params);
        let counts = move |at: usize| counting.iter().any(|one| one.at == at);
        let others = self.conditions.iter().enumerate().filter(move |(at, _)| !counts(*at));
        others.map(|(_, condition)| LeftOut {
            condition: condition.text.clone(),
            // With constants of a class, only the number of the tags is in the way.
            why: condition.constants(params).err().unwrap_or(LeftOutReason::TooMany),
        })
    }
}

/// The dependency of an entry through one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeTag {
    /// The tag of the rows that meet the conditions: `t:shop.orders?state=open&store_id=6`.
    pub tag: Tag,
    /// The scheme, which all calls with constants of the same classes share.
    pub scheme: Arc<TableScheme>,
}

/// A scheme of a table, with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableScheme {
    /// The table, `shop.orders`.
    pub table: String,
    /// The columns with the classes of their constants: `state:text,store_id:int`. Empty if no
    /// condition narrows the rows.
    pub columns: String,
    /// The name of the scheme, whose tag every entry of the scheme has.
    pub name: SchemeName,
    /// The tag of every entry of the table: `t:shop.orders`.
    pub table_tag: Tag,
}

impl SchemeTag {
    /// Returns the same dependency without conditions: every change of the table counts.
    #[must_use]
    pub fn weakest(&self) -> Self {
        let TableScheme { table, name, table_tag, .. } = &*self.scheme;
        let (table, name, table_tag) = (table.clone(), name.weakest(), table_tag.clone());
        let tag = finish(&name.text);
        Self { tag, scheme: Arc::new(TableScheme { table, columns: String::new(), name, table_tag }) }
    }
}

/// A scheme of an occurrence, for the calls that have it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The indexes of the conditions with their classes.
    pub(super) columns: Vec<(usize, Class)>,
    pub(super) shared: Arc<TableScheme>,
}

/// The most tags of an occurrence in one call. More values leave their column out.
const MOST_TAGS: usize = 64;

/// The constants of one condition in one call.
#[derive(Debug, Clone, Copy)]
struct Constants {
    /// The index of the condition.
    at: usize,
    class: Class,
    count: usize,
    /// The constant that the next tag has.
    now: usize,
}

impl Occurrence {
    /// Appends the tags of a call. `text` is any buffer.
    pub(super) fn tags(&self, params: &Params, text: &mut String, out: &mut Vec<SchemeTag>) {
        let mut constants = self.constants(params);
        let is_first = |first: &&Known| {
            let columns = first.columns.iter().copied();
            columns.eq(constants.iter().map(|constants| (constants.at, constants.class)))
        };
        let other;
        let known = match self.first.get().filter(is_first) {
            Some(first) => first,
            None => {
                other = self.known(&constants);
                // If another call was the first meanwhile, this one is the only user of its scheme.
                _ = self.first.set(other.clone());
                &other
            }
        };
        loop {
            self.table.begin(text);
            for (index, one) in constants.iter().enumerate() {
                let Some(condition) = self.conditions.get(one.at) else { continue };
                push_column(index, &condition.escaped, one.class, text);
                condition.push(one.now, params, text);
            }
            out.push(SchemeTag { tag: finish(text), scheme: Arc::clone(&known.shared) });
            if !next(&mut constants) {
                return;
            }
        }
    }

    /// Returns the constants of a call, of the conditions that count in it.
    fn constants(&self, params: &Params) -> Vec<Constants> {
        let mut all = Vec::with_capacity(self.conditions.len());
        for (at, condition) in self.conditions.iter().enumerate() {
            if let Ok((class, count)) = condition.constants(params) {
                all.push(Constants { at, class, count, now: 0 });
            }
        }
        let combinations = |all: &[Constants]| all.iter().map(|one| one.count).fold(1, usize::saturating_mul);
        while combinations(&all) > MOST_TAGS {
            let most = all.iter().enumerate().max_by_key(|(_, one)| one.count).map(|(at, _)| at);
            most.map(|at| all.remove(at));
        }
        all
    }

    fn known(&self, constants: &[Constants]) -> Known {
        let column = |one: &Constants| Some(format!("{}:{}", self.conditions.get(one.at)?.escaped, one.class));
        let columns = constants.iter().filter_map(column).collect::<Vec<_>>().join(",");
        let mut name = String::new();
        self.table.begin(&mut name);
        name.push_str(&columns);
        let (table, name) = (self.table.to_string(), SchemeName::new(name));
        Known {
            columns: constants.iter().map(|one| (one.at, one.class)).collect(),
            shared: Arc::new(TableScheme { table, columns, name, table_tag: self.table.tag() }),
        }
    }
}

/// Appends `column=` and the mark of the class to the text of a tag. The value follows.
pub(super) fn push_column(index: usize, escaped: &str, class: Class, text: &mut String) {
    if index > 0 {
        text.push('&');
    }
    text.push_str(escaped);
    text.push('=');
    class.mark(text);
}

/// Steps to the next combination of values. Returns false after the last.
fn next(constants: &mut [Constants]) -> bool {
    for one in constants {
        one.now += 1;
        if one.now < one.count {
            return true;
        }
        one.now = 0;
    }
    false
}

impl Condition {
    /// Returns the class of the constants of a call and their number, or the reason why they don't
    /// narrow the rows.
    pub(super) fn constants(&self, params: &Params) -> Result<(Class, usize), LeftOutReason> {
        if self.sources.is_empty() {
            return Ok((Class::Null, 1));
        }
        let count = self.sources.iter().map(|source| source.count(params)).fold(0, usize::saturating_add);
        if count > MOST_TAGS {
            return Err(LeftOutReason::TooMany);
        }
        let mut class: Option<Class> = None;
        let mut join = |of: Class| {
            class = Some(class.map_or(Some(of), |class| class.join(of)).ok_or(LeftOutReason::MixedTypes)?);
            Ok(())
        };
        for source in &self.sources {
            match source {
                Source::Literal(of, _) => join(*of)?,
                Source::Param(at) => {
                    for value in values(params, *at).ok_or(LeftOutReason::ConstantType)? {
                        join(class_of(value).ok_or_else(|| unclassed(value))?)?;
                    }
                }
            }
        }
        Ok((class.ok_or(LeftOutReason::ConstantType)?, count))
    }

    /// Appends the text of one constant.
    fn push(&self, mut at: usize, params: &Params, out: &mut String) {
        for source in &self.sources {
            let count = source.count(params);
            match source {
                _ if at >= count => at -= count,
                Source::Literal(_, text) => return out.push_str(text),
                Source::Param(param) => {
                    let value = values(params, *param).and_then(|values| values.get(at));
                    return value.map_or((), |value| push_value(value, out));
                }
            }
        }
        out.push_str(NULL);
    }
}

impl Source {
    fn count(&self, params: &Params) -> usize {
        match self {
            Self::Param(at) => values(params, *at).map_or(1, <[Value]>::len),
            Self::Literal(..) => 1,
        }
    }
}

/// Returns the values of a param: those of a list, or its own.
fn values(params: &Params, at: usize) -> Option<&[Value]> {
    Some(match &params.iter().as_slice().get(at)?.value {
        Value::List(items) => items,
        value => std::slice::from_ref(value),
    })
}
