//! The equalities of a clause: which column of which table factor, and which constants.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, ValueWithSpan, visit_expressions};

use super::class::Class;
use super::from::{Clause, Factor};
use super::lack::{Lack, Wish};
use super::occurrence::{Condition, LeftOut, Source};
use super::refusal::LeftOutReason;
use super::text::{escape, plain, push_number, push_text, text_class};

/// The most columns of a scheme.
const MOST_COLUMNS: usize = 8;

/// Finds the equalities in one `SELECT`.
pub(super) struct Finder<'a> {
    pub(super) factors: &'a [Factor],
    /// Whether the `SELECT` is the statement's outermost: a name can't be an outer query's.
    pub(super) is_outermost: bool,
    /// The pieces that are placeholders, in order.
    pub(super) placeholders: &'a [usize],
    pub(super) wish: Wish,
    /// The conditions of each factor.
    pub(super) found: Vec<(Vec<Condition>, Vec<LeftOut>)>,
}

impl Finder<'_> {
    /// Reads a clause. An unsure one gives no equality.
    pub(super) fn clause(&mut self, clause: &Clause<'_>, is_sure: bool) {
        // A chain of ANDs is deep on its left.
        let mut rest = vec![clause.condition];
        while let Some(condition) = rest.pop() {
            match condition {
                Expr::Nested(inner) => rest.push(inner),
                Expr::BinaryOp { left, op: BinaryOperator::And, right } => rest.extend([&**right, &**left]),
                Expr::BinaryOp { left, op: BinaryOperator::Or, right } if self.wish.lack == Lack::BelowOr => {
                    rest.extend([&**right, &**left]);
                }
                condition => {
                    let found = if is_sure { self.condition(condition, clause) } else { Err(LeftOutReason::Operators) };
                    if let Err(why) = found
                        && self.wish.explains
                    {
                        self.leave_out(condition, why);
                    }
                }
            }
        }
    }

    fn condition(&mut self, condition: &Expr, clause: &Clause<'_>) -> Result<(), LeftOutReason> {
        use LeftOutReason::*;
        let (column, sources) = match condition {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let (column, constant) = if is_column(left) { (left, right) } else { (right, left) };
                if !is_column(column) {
                    return Err(OfAnExpression);
                }
                (&**column, vec![self.source(constant)?])
            }
            Expr::InList { expr, list, negated: false } if is_column(expr) => {
                (&**expr, list.iter().map(|item| self.source(item)).collect::<Result<_, _>>()?)
            }
            Expr::IsNull(column) if is_column(column) => (&**column, Vec::new()),
            Expr::InList { negated: false, .. } | Expr::IsNull(_) => return Err(OfAnExpression),
            Expr::InSubquery { .. } | Expr::Exists { .. } => return Err(Subquery),
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => return Err(BelowOr),
            _ => return Err(NotAnEquality),
        };
        let (at, name, is_confirmed) = self.resolve(column)?;
        if !clause.counts_for.contains(&at) {
            return Err(OuterJoin);
        }
        if sources.is_empty() && !clause.not_null.contains(&at) {
            return Err(NullableSide);
        }
        let (conditions, _) = self.found.get_mut(at).ok_or(NotOfThisSelect)?;
        let column = name.to_lowercase();
        if conditions.len() >= MOST_COLUMNS || conditions.iter().any(|known| known.column == column) {
            return Err(Enough);
        }
        let text = if self.wish.explains { condition.to_string() } else { String::new() };
        let mut escaped = String::with_capacity(column.len());
        escape(&column, &mut escaped);
        conditions.push(Condition { column, escaped, text, sources, is_confirmed, is_on: clause.is_on });
        Ok(())
    }

    /// Returns the factor and the name of a column, and whether the column is surely the factor's.
    fn resolve<'e>(&self, column: &'e Expr) -> Result<(usize, &'e str, bool), LeftOutReason> {
        use LeftOutReason::*;
        let idents = match column {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(idents) => idents,
            _ => return Err(OfAnExpression),
        };
        let parts: Option<Vec<&str>> = idents.iter().map(plain).collect();
        let (schema, qualifier, name) = match parts.as_deref() {
            Some(&[name]) => match self.factors {
                [Factor { table: Some(_), .. }] => return Ok((0, name, self.is_outermost)),
                [..] if self.wish.lack == Lack::Unqualified => return Ok((self.factors.len() - 1, name, true)),
                _ => return Err(Unqualified),
            },
            Some(&[qualifier, name]) => (None, qualifier, name),
            Some(&[schema, qualifier, name]) => (Some(schema), qualifier, name),
            _ => return Err(NotOfThisSelect),
        };
        // Servers compare these names with or without case. So the name must be the same, and no
        // other factor's name may be the same without case.
        let is_like = |factor: &&Factor| factor.name.as_deref().is_some_and(|name| is_alike(name, qualifier));
        if self.factors.iter().filter(is_like).count() != 1 {
            return Err(NotOfThisSelect);
        }
        let is_it = |factor: &Factor| {
            let same_schema = |schema: &str| factor.schema.as_deref().is_some_and(|known| is_alike(known, schema));
            factor.name.as_deref() == Some(qualifier) && schema.is_none_or(same_schema)
        };
        let at = self.factors.iter().position(is_it).ok_or(NotOfThisSelect)?;
        Ok((at, name, true))
    }

    fn source(&self, constant: &Expr) -> Result<Source, LeftOutReason> {
        use LeftOutReason::*;
        let mut text = String::new();
        let class = match constant {
            Expr::Value(ValueWithSpan { value: Value::Placeholder(_), span }) => {
                let piece = usize::try_from(span.start.column).ok();
                let at = piece.and_then(|piece| self.placeholders.binary_search(&piece).ok());
                return at.map(Source::Param).ok_or(Computed);
            }
            Expr::Value(value) => literal(&value.value, &mut text).ok_or_else(|| unclassed(&value.value))?,
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(ValueWithSpan { value: Value::Number(digits, false), .. }) => {
                    number(&format!("-{digits}"), &mut text).ok_or(ConstantType)?
                }
                _ => return Err(Computed),
            },
            Expr::Subquery(_) => return Err(Subquery),
            constant if is_column(constant) => return Err(AnotherColumn),
            _ => return Err(Computed),
        };
        Ok(Source::Literal(class, text))
    }

    /// Notes the condition with the factors that it is about.
    fn leave_out(&mut self, condition: &Expr, why: LeftOutReason) {
        let mut about = vec![self.factors.len() == 1; self.factors.len()];
        let _: ControlFlow<()> = visit_expressions(condition, |part| {
            if let Expr::CompoundIdentifier(idents) = part {
                let qualifier = idents.iter().rev().nth(1).and_then(plain);
                for (factor, about) in self.factors.iter().zip(&mut about) {
                    *about |= qualifier.is_some() && factor.name.as_deref() == qualifier;
                }
            }
            ControlFlow::Continue(())
        });
        let about_none = !about.contains(&true);
        for ((_, left_out), about) in self.found.iter_mut().zip(about) {
            if about || about_none {
                left_out.push(LeftOut { condition: condition.to_string(), why });
            }
        }
    }
}

/// Returns whether two names are the same without case.
fn is_alike(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.to_lowercase() == other.to_lowercase()
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Appends the text of a literal. Returns its class, or `None` if it has none.
fn literal(value: &Value, out: &mut String) -> Option<Class> {
    match value {
        Value::Number(digits, false) => number(digits, out),
        Value::Boolean(bool) => {
            out.push(if *bool { '1' } else { '0' });
            Some(Class::Int)
        }
        // The text keeps its spelling. What a backslash escapes depends on the session.
        Value::SingleQuotedString(text) if !text.contains('\\') => {
            let text = text.replace("''", "'");
            let class = text_class(&text)?;
            push_text(&text, out);
            Some(class)
        }
        _ => None,
    }
}

/// Returns the reason why a literal has no class.
fn unclassed(value: &Value) -> LeftOutReason {
    match value {
        Value::Null => LeftOutReason::Null,
        Value::DoubleQuotedString(_) => LeftOutReason::DoubleQuotes,
        Value::SingleQuotedString(_) => LeftOutReason::NotAscii,
        _ => LeftOutReason::ConstantType,
    }
}

fn number(digits: &str, out: &mut String) -> Option<Class> {
    match push_number(digits, out)? {
        0 => Some(Class::Int),
        digits => Some(Class::Dec(digits)),
    }
}
