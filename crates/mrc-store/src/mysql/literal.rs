//! Values as SQL literals, as each peer's driver writes them.

use std::fmt::Write as _;

use mrc_core::json::number;
use mrc_core::{DateTime, RowFormat, Value};

#[derive(Debug, Clone, Copy)]
pub(super) struct LiteralSpelling {
    /// The peer's format, or the canonical one.
    pub(super) format: RowFormat,
    /// Whether the reading session takes a backslash within a string as an escape.
    pub(super) backslash_escapes: bool,
}

impl LiteralSpelling {
    /// Appends a value as a token, perhaps with a sign. It is no list, and no infinite float.
    pub(super) fn write(self, value: &Value, out: &mut String) {
        let (npm, python) = (self.format == RowFormat::TypeScript, self.format == RowFormat::Python);
        // Writing into a `String` can't fail.
        _ = match value {
            Value::Bool(bool) if python => write!(out, "{}", u8::from(*bool)),
            Value::Bool(bool) => write!(out, "{bool}"),
            Value::Int(int) => write!(out, "{int}"),
            Value::UInt(int) => write!(out, "{int}"),
            // For the server `1.5` is a decimal, and `1.5e0` is a double.
            Value::Float(float) => {
                let mut text = Vec::with_capacity(24);
                if npm {
                    number::ecmascript(*float, &mut text);
                } else {
                    number::python(*float, &mut text);
                }
                let exponent = if npm || text.contains(&b'e') { "" } else { "e0" };
                write!(out, "{}{exponent}", String::from_utf8_lossy(&text))
            }
            Value::Decimal(digits) => write!(out, "{}", digits.as_str()),
            Value::Text(text) => self.quoted(text, out),
            Value::Bytes(bytes) => {
                out.push_str(if python { "_binary X'" } else { "X'" });
                bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")).and_then(|()| write!(out, "'"))
            }
            // JavaScript has one type for dates and times, with milliseconds.
            Value::Date(date) if npm => write!(out, "'{date} 00:00:00.000'"),
            Value::DateTime(at @ DateTime { micros, .. }) if npm && micros % 1000 == 0 => {
                write!(out, "'{}.{:03}'", DateTime { micros: 0, ..*at }, micros / 1000)
            }
            Value::Date(date) => write!(out, "'{date}'"),
            Value::DateTime(at) => write!(out, "'{at}'"),
            Value::Time(time) => write!(out, "'{time}'"),
            Value::Json(json) => self.quoted(&json.to_string(), out),
            _ => write!(out, "NULL"),
        };
    }

    /// Appends a string. Only quotes and backslashes need escapes; the others imitate the peers.
    fn quoted(self, text: &str, out: &mut String) -> std::fmt::Result {
        out.reserve(text.len() + 2);
        out.push('\'');
        for char in text.chars() {
            let escape = match char {
                '\'' if !self.backslash_escapes => {
                    out.push_str("''");
                    continue;
                }
                _ if !self.backslash_escapes => None,
                '\'' | '"' | '\\' => Some(char),
                '\0' => Some('0'),
                '\n' => Some('n'),
                '\r' => Some('r'),
                '\x1a' => Some('Z'),
                // PyMySQL doesn't escape these two.
                '\t' if self.format != RowFormat::Python => Some('t'),
                '\x08' if self.format != RowFormat::Python => Some('b'),
                _ => None,
            };
            if let Some(escape) = escape {
                out.extend(['\\', escape]);
            } else {
                out.push(char);
            }
        }
        out.push('\'');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mrc_core::{Date, Decimal, Time};

    use super::*;

    fn written(value: &Value, format: RowFormat, backslash_escapes: bool) -> String {
        let mut text = String::new();
        LiteralSpelling { format, backslash_escapes }.write(value, &mut text);
        text
    }

    /// Compares with the canonical format, npm's sql-escaper 1.5, and PyMySQL 1.2, in this order.
    fn check(value: impl Into<Value>, expected: [&str; 3]) {
        let value = value.into();
        let formats = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];
        assert_eq!(formats.map(|format| written(&value, format, true)), expected);
    }

    #[test]
    fn each_value_is_the_literal_that_the_peer_writes() {
        let day = Date::new(2025, 1, 15).unwrap();
        check(Value::Null, ["NULL"; 3]);
        check(true, ["true", "true", "1"]);
        check(-5, ["-5"; 3]);
        check(u64::MAX, ["18446744073709551615"; 3]);
        check(1.5, ["1.5e0", "1.5", "1.5e0"]);
        check(2.0, ["2.0e0", "2", "2.0e0"]);
        check(-0.0, ["-0.0e0", "0", "-0.0e0"]);
        check(1e-7, ["1e-07", "1e-7", "1e-07"]);
        check(1e21, ["1e+21"; 3]);
        check(Decimal::new("-10.50").unwrap(), ["-10.50"; 3]);
        check(vec![0x61_u8, 0xFF, 0], ["X'61ff00'", "X'61ff00'", "_binary X'61ff00'"]);
        check(day, ["'2025-01-15'", "'2025-01-15 00:00:00.000'", "'2025-01-15'"]);
        let [whole, millis, micros] = [0, 120_000, 123_456].map(|micros| day.at(10, 30, 0, micros).unwrap());
        check(whole, ["'2025-01-15 10:30:00'", "'2025-01-15 10:30:00.000'", "'2025-01-15 10:30:00'"]);
        let with_micros = "'2025-01-15 10:30:00.120000'";
        check(millis, [with_micros, "'2025-01-15 10:30:00.120'", with_micros]);
        check(micros, ["'2025-01-15 10:30:00.123456'"; 3]);
        check(-Time::new(101, 2, 3, 0).unwrap(), ["'-101:02:03'"; 3]);
        check(serde_json::json!({"a": "it's"}), [r#"'{\"a\":\"it\'s\"}'"#; 3]);
        let npm = r#"'é\0\b\t\n\r\Z\"\'\\'"#;
        check("é\0\x08\t\n\r\x1a\"'\\", [npm, npm, "'é\\0\x08\t\\n\\r\\Z\\\"\\'\\\\'"]);
    }

    #[test]
    fn without_backslash_escapes_only_quotes_are_doubled() {
        for format in [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python] {
            assert_eq!(written(&"\0'\\\"\n".into(), format, false), "'\0''\\\"\n'");
        }
    }
}
