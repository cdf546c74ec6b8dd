//! Expands a statement for a driver to one `?` a value, without lists, and checks the values.

use std::borrow::Cow;

use mrc_core::{Param, Params, Value, statement};

use crate::error::ExecuteError;

/// The most placeholders that a prepared statement of MySQL can have.
const MAX_VALUES: usize = 65_535;

/// A statement with one `?` for each value.
#[derive(Debug)]
pub struct Expanded<'a> {
    /// The text to prepare.
    pub sql: Cow<'a, str>,
    /// The values in the order of the placeholders, none of them a list.
    pub values: Vec<&'a Value>,
}

/// Writes `IN (?)` with a list of three as `IN (?,?,?)`, and checks the params.
///
/// # Errors
/// - [`ExecuteError::ParamCount`]: there are more or fewer params than placeholders;
/// - [`ExecuteError::Param`]: a param can't be bound, such as an empty list;
/// - [`ExecuteError::Refused`]: the statement can't be read.
pub fn expand<'a>(sql: &'a str, params: &'a Params) -> Result<Expanded<'a>, ExecuteError> {
    let places = if sql.contains('?') { statement::placeholders(sql).map_err(refused)? } else { Vec::new() };
    let has_list = params.values().any(|value| matches!(value, Value::List(_)));
    let mut values = Vec::with_capacity(params.len());
    let expanded = fill(sql, &places, params, ",", |value, _, text| {
        text.push('?');
        values.push(value);
    })?;
    Ok(Expanded { sql: if has_list { Cow::Owned(expanded) } else { Cow::Borrowed(sql) }, values })
}

/// Replaces each placeholder by its value, if the params fit. `between` separates elements of a
/// list. `write` gets the value, the byte after the placeholder, and the text so far.
pub(crate) fn fill<'a>(
    sql: &str,
    places: &[usize],
    params: &'a Params,
    between: &str,
    mut write: impl FnMut(&'a Value, Option<u8>, &mut String),
) -> Result<String, ExecuteError> {
    if places.len() != params.len() {
        return Err(ExecuteError::ParamCount { placeholders: places.len(), params: params.len() });
    }
    let mut count = 0;
    let mut text = String::with_capacity(sql.len());
    let mut copied = 0;
    for ((index, param), place) in params.iter().enumerate().zip(places) {
        let refuse = |reason| refusal(index, param, reason);
        let items = match &param.value {
            Value::List(items) => check_list(items).map(|()| items.as_slice()),
            value => check_value(value).map(|()| std::slice::from_ref(value)),
        };
        let items = items.map_err(refuse)?;
        count += items.len();
        if count > MAX_VALUES {
            return Err(refuse(format!(
                "with it the statement has {count} values, and a prepared statement takes {MAX_VALUES} at most: \
                 split the list over several queries, or put it into a table and join"
            )));
        }
        text.push_str(sql.get(copied..*place).unwrap_or_default());
        copied = place + 1;
        let next = sql.as_bytes().get(copied).copied();
        for (at, item) in items.iter().enumerate() {
            text.push_str(if at > 0 { between } else { "" });
            write(item, next, &mut text);
        }
    }
    text.push_str(sql.get(copied..).unwrap_or_default());
    Ok(text)
}

pub(crate) fn refused(error: statement::PlaceholderError) -> ExecuteError {
    ExecuteError::Refused(Box::new(error))
}

fn refusal(index: usize, param: &Param, reason: String) -> ExecuteError {
    ExecuteError::Param { position: index + 1, type_name: param.value.type_name(), reason }
}

fn check_list(items: &[Value]) -> Result<(), String> {
    if items.is_empty() {
        return Err("an empty list can't be written as `IN (…)`: nothing is in it, so leave the query out".into());
    }
    items.iter().try_for_each(|item| match item {
        Value::List(_) => Err("lists don't nest: flatten it".into()),
        value => check_value(value),
    })
}

fn check_value(value: &Value) -> Result<(), String> {
    match value {
        Value::Float(float) if !float.is_finite() => {
            Err(format!("SQL has no {float}: bind NULL, or leave the query out"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use mrc_core::params;

    use super::*;

    fn check(sql: &str, params: &Params, expected: &str, values: usize) {
        let expanded = expand(sql, params).unwrap();
        assert_eq!((&*expanded.sql, expanded.values.len()), (expected, values));
    }

    fn refusal_of(sql: &str, params: &Params) -> String {
        expand(sql, params).unwrap_err().to_string()
    }

    #[test]
    fn lists_become_as_many_placeholders_as_they_have_elements() {
        check("SELECT 1", &params! {}, "SELECT 1", 0);
        check("a = ?", &params! { "A" => 1 }, "a = ?", 1);
        check("a IN (?)", &params! { "A" => [1] }, "a IN (?)", 1);
        check("a IN (?)", &params! { "A" => [1, 2, 3] }, "a IN (?,?,?)", 3);
        let params = params! { "A" => [1, 2], "B" => "x", "C" => ["u", "v"] };
        let expected = "a IN (?,?) AND é = ? AND b NOT IN ( ?,? ) -- end";
        check("a IN (?) AND é = ? AND b NOT IN ( ? ) -- end", &params, expected, 5);
    }

    #[test]
    fn only_real_placeholders_count() {
        let sql = "SELECT '?', `?`, \"?\" /* ? */ WHERE a = ? -- ?";
        check(sql, &params! { "A" => 1 }, sql, 1);
    }

    #[test]
    fn values_stay_in_order() {
        let params = params! { "A" => 1, "B" => [2, 3], "C" => 4 };
        let expanded = expand("? ? ?", &params).unwrap();
        assert_eq!(expanded.values, [&Value::Int(1), &Value::Int(2), &Value::Int(3), &Value::Int(4)]);
    }

    #[test]
    fn a_value_that_cannot_be_bound_is_named_with_its_position() {
        assert!(refusal_of("a = ?", &params! {}).contains("1 placeholder, but 0 params were"));
        assert!(refusal_of("a = ?", &params! { "A" => 1, "B" => 2 }).contains("1 placeholder, but 2 params were"));
        let empty = params! { "A" => 1, "B" => Value::List(vec![]) };
        assert!(refusal_of("? ?", &empty).starts_with("param 2 (list) can't be bound: an empty list"));
        let nested = params! { "A" => Value::List(vec![Value::List(vec![])]) };
        assert!(refusal_of("?", &nested).contains("lists don't nest"));
        assert!(refusal_of("?", &params! { "A" => f64::NAN }).contains("SQL has no NaN"));
        assert!(refusal_of("?", &params! { "A" => [1.0, f64::INFINITY] }).contains("SQL has no inf"));
    }

    #[test]
    fn a_statement_takes_65_535_values() {
        let most = params! { "A" => 0, "B" => vec![0; MAX_VALUES - 1] };
        assert_eq!(expand("? ?", &most).unwrap().values.len(), MAX_VALUES);
        let more = params! { "A" => 0, "B" => vec![0; MAX_VALUES] };
        let expected = "param 2 (list) can't be bound: with it the statement has 65536 values";
        assert!(refusal_of("? ?", &more).starts_with(expected));
    }
}
