//! The tags of a call: one buffer a call, and one allocation a tag.

use std::sync::Arc;

use super::class::Class;
use super::name::finish;
use super::occurrence::{Condition, Occurrence, Source};
use super::refusal::LeftOutReason;
use super::scheme::SchemeName;
use super::scheme_tag::{Known, SchemeTag, TableScheme};
use super::value;
use crate::param::Params;
use crate::value::Value;

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

    /// Returns the indexes of the conditions that count in a call.
    pub(super) fn counting(&self, params: &Params) -> Vec<usize> {
        self.constants(params).iter().map(|one| one.at).collect()
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
        let mut columns = String::new();
        for one in constants {
            let Some(condition) = self.conditions.get(one.at) else { continue };
            if !columns.is_empty() {
                columns.push(',');
            }
            columns.push_str(&condition.escaped);
            columns.push(':');
            columns.push_str(&one.class.to_string());
        }
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
                        join(value::class(value).ok_or_else(|| value::unclassed(value))?)?;
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
                    return value.map_or((), |value| value::push(value, out));
                }
            }
        }
        out.push_str(value::NULL);
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
