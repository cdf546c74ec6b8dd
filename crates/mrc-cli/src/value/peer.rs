//! JSON values as the peers' languages hold and print them, for keys that match byte for byte.
//!
//! A JSON document stands for the value that `JSON.parse` or `json.loads` returns.

use mrc::KeyFormat;
use mrc::key::{KeyScheme, Value};
use mrc::rows::json;
use serde_json::value::RawValue;

use super::{DEPTH, Literal, ValueError};

/// Returns the value as JavaScript prints it in a template string.
pub(crate) fn typescript(raw: &RawValue) -> Result<Value, ValueError> {
    javascript(raw, DEPTH)
}

/// Returns the value as Python's `str` prints it.
pub(crate) fn python(raw: &RawValue) -> Result<Value, ValueError> {
    Ok(match Literal::read(raw)? {
        Literal::Null => Value::Null,
        Literal::Bool(bool) => Value::Bool(bool),
        Literal::Text(text) => Value::from(text),
        Literal::Integer(_) | Literal::Float(_) | Literal::List(_) | Literal::Object(_) => repr(raw, DEPTH)?.into(),
    })
}

fn javascript(raw: &RawValue, depth: usize) -> Result<Value, ValueError> {
    let depth = depth.checked_sub(1).ok_or(ValueError::Deep)?;
    Ok(match Literal::read(raw)? {
        Literal::Null => Value::Null,
        Literal::Bool(bool) => Value::Bool(bool),
        // JavaScript has only doubles.
        Literal::Integer(digits) | Literal::Float(digits) => match double(digits) {
            float if float.is_finite() => Value::Float(float),
            float => Value::from(if float > 0.0 { "Infinity" } else { "-Infinity" }),
        },
        Literal::Text(text) => Value::from(text),
        Literal::List(items) => {
            Value::List(items.into_iter().map(|item| javascript(item, depth)).collect::<Result<_, _>>()?)
        }
        Literal::Object(_) => Value::from("[object Object]"),
    })
}

/// Returns the value as Python's `repr` prints it.
fn repr(raw: &RawValue, depth: usize) -> Result<String, ValueError> {
    let depth = depth.checked_sub(1).ok_or(ValueError::Deep)?;
    Ok(match Literal::read(raw)? {
        Literal::Null => "None".into(),
        Literal::Bool(bool) => if bool { "True" } else { "False" }.into(),
        // A Python int has any size, and no negative zero.
        Literal::Integer(digits) => if digits == "-0" { "0" } else { digits }.into(),
        Literal::Float(digits) => match double(digits) {
            float if float.is_finite() => {
                let mut spelled = Vec::new();
                json::number::python(float, &mut spelled);
                String::from_utf8_lossy(&spelled).into_owned()
            }
            float => if float > 0.0 { "inf" } else { "-inf" }.into(),
        },
        Literal::Text(text) => quoted(text),
        Literal::List(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| repr(item, depth)).collect();
            format!("[{}]", items?.join(", "))
        }
        Literal::Object(members) => {
            let member = |(name, item)| Ok(format!("{}: {}", quoted(name), repr(item, depth)?));
            let members: Result<Vec<_>, ValueError> = members.into_iter().map(member).collect();
            format!("{{{}}}", members?.join(", "))
        }
    })
}

/// Returns a text in Python's quotes, taken from the key of a list: `=['it']_` and a hash.
fn quoted(text: String) -> String {
    let key = KeyScheme::new(KeyFormat::Python).peer_key("", &[Value::List(vec![text.into()])], &[""]);
    let list = key.rsplit_once("]_").map_or("", |(list, _)| list);
    list.strip_prefix("=[").unwrap_or(list).to_owned()
}

/// Returns the nearest double, or an infinity if the number is beyond all doubles.
fn double(digits: &str) -> f64 {
    // Rust parses every number of JSON.
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, in_javascript: &str, in_python: &str) {
        let raw: &RawValue = serde_json::from_str(document).unwrap();
        let spell = |format, value| {
            let key = KeyScheme::new(format).peer_key("", &[value], &["x"]);
            key[2..key.len() - 41].to_owned()
        };
        assert_eq!(spell(KeyFormat::TypeScript, typescript(raw).unwrap()), in_javascript, "{document}");
        assert_eq!(spell(KeyFormat::Python, python(raw).unwrap()), in_python, "{document}");
    }

    #[test]
    fn numbers_are_what_each_language_makes_of_them() {
        check("6", "6", "6");
        check("-0", "0", "0");
        check("-0.0", "0", "-0.0");
        check("1.0", "1", "1.0");
        check("1E5", "100000", "100000.0");
        check("9007199254740993", "9007199254740992", "9007199254740993");
        check("1000000000000000000000", "1e+21", "1000000000000000000000");
        check("18446744073709551616", "18446744073709552000", "18446744073709551616");
        check("[18446744073709551616,1.0]", "18446744073709552000,1", "[18446744073709551616, 1.0]");
        check("1e400", "Infinity", "inf");
        check("[-1e400]", "-Infinity", "[-inf]");
    }

    #[test]
    fn documents_are_printed_as_each_language_prints_them() {
        check("null", "null", "None");
        check("true", "true", "True");
        check("\"it's\"", "it's", "it's");
        check("[null,true,\"it's\",\"\\n\"]", ",true,it's,\n", r#"[None, True, "it's", '\n']"#);
        check("[1,[2,[]],[null]]", "1,2,,", "[1, [2, []], [None]]");
        check("{}", "[object Object]", "{}");
        check(
            r#"{"b":1,"a":[true,null,{"x":"]_y"}],"b":2.0}"#,
            "[object Object]",
            "{'b': 2.0, 'a': [True, None, {'x': ']_y'}]}",
        );
        check(r#"[{"a":1}]"#, "[object Object]", "[{'a': 1}]");
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let raw: &RawValue = serde_json::from_str(&deep).unwrap();
        assert!(matches!(typescript(raw), Err(ValueError::Deep)));
        assert!(matches!(python(raw), Err(ValueError::Deep)));
    }
}
