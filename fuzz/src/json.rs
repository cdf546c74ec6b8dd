//! Documents of JSON columns, on their way into rows.

use arbitrary::Unstructured;
use mrc_core::{Cell, Column, ColumnKind, RowEncoder, RowError, RowFormat};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::input::{below, joined, one, text};

/// Documents of more levels may be refused.
const DEPTH: usize = 256;

/// Checks a document: the text as it is, or a built one.
pub fn json(data: &[u8]) {
    let document = text(data, |input| built(input, 6));
    let is_json = serde_json::from_str::<IgnoredAny>(&document).is_ok();
    let nests = document.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    for format in [RowFormat::Canonical, RowFormat::TypeScript] {
        match rewritten(&document, format) {
            Ok(again) => {
                assert!(is_json, "{document:?} is no JSON, and became {again:?}");
                assert!(serde_json::from_str::<IgnoredAny>(&again).is_ok(), "{document:?} became {again:?}");
                assert_eq!(rewritten(&again, format).as_deref(), Ok(&*again), "{document:?} changes twice");
            }
            Err(error) => {
                assert!(matches!(error, RowError::InvalidJson { .. }), "{error}");
                assert!(!is_json || nests > DEPTH, "{document:?} is JSON, and was refused");
            }
        }
    }
    // Canonical: the document says the same as before.
    if let (Ok(before), Ok(again)) =
        (serde_json::from_str::<Value>(&document), rewritten(&document, RowFormat::Canonical))
    {
        assert_eq!(serde_json::from_str::<Value>(&again).ok(), Some(before), "{document:?} became {again:?}");
    }
    // Python: the text, as a string.
    let kept = rewritten(&document, RowFormat::Python).map(|text| serde_json::from_str::<String>(&text).ok());
    assert_eq!(kept, Ok(Some(document)));
}

/// Returns the document as a row holds it.
fn rewritten(document: &str, format: RowFormat) -> Result<String, RowError> {
    let mut rows = RowEncoder::new(format);
    rows.columns(&[Column::new("doc", ColumnKind::Json)])?;
    rows.cell(Cell::Json(document))?;
    let row = rows.finish()?;
    let row = str::from_utf8(&row).expect("an answer is UTF-8");
    let cell = row.strip_prefix(r#"[{"doc":"#).and_then(|row| row.strip_suffix("}]"));
    Ok(cell.unwrap_or_else(|| panic!("not a row with one cell: {row:?}")).to_owned())
}

fn built(input: &mut Unstructured<'_>, depth: usize) -> String {
    const LONG: &str = "123456789012345678901";
    const ZEROS: &str = "\"00123\"";
    const PAIR: &str = "\\ud83d\\ude00";
    const SCALARS: &[&str] = &[
        "null", "true", "false", "0", "-0", "-0.0", "1.50", "1e5", "1E+400", "-1e-400", LONG, "0.1", ZEROS, "\"1.5\"",
        "\"-\"", "01", "+1", ".5", "NaN", "nul", "",
    ];
    const INSIDE: &[&str] = &[
        "a", "b", "0", "10", "\\n", "\\u0041", PAIR, "\\ud800", "\\/", "\\\"", "é", "😀", "\u{7f}", "\u{2028}", "\\x",
        "\n",
    ];
    const BLANKS: &[&str] = &["", "", " ", "\t\r\n", "\u{a0}"];
    let inner = match below(input, if depth == 0 { 4 } else { 8 }) {
        0..3 => one(input, SCALARS).to_owned(),
        3 => format!("\"{}\"", joined(input, INSIDE, 6)),
        4 | 5 => {
            let members: Vec<String> = (0..below(input, 4)).map(|_| built(input, depth - 1)).collect();
            format!("[{}]", members.join(","))
        }
        _ => {
            let mut member = || format!("\"{}\":{}", joined(input, INSIDE, 2), built(input, depth - 1));
            let members: Vec<String> = [(); 3].iter().map(|()| member()).collect();
            format!("{{{}}}", members.join(","))
        }
    };
    format!("{}{inner}{}", one(input, BLANKS), one(input, BLANKS))
}
