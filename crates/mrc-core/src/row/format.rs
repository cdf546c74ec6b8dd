//! The three ways to spell a row.

/// The spelling of a row's values in JSON.
///
/// In all formats, NULL is `null`, integers and YEAR are numbers, and ENUM and SET are text. TIME
/// is the server's text (`"-838:59:59"`, `"01:02:03.120"`). A float that isn't finite is `null`.
///
/// | MySQL type | `Canonical` | `TypeScript` | `Python` |
/// |---|---|---|---|
/// | integers | exact | exact to 2^53, then the nearest double | exact |
/// | DECIMAL | a number with all its digits | the nearest double | the nearest double, `10.0` |
/// | FLOAT | shortest digits of the 32 bits | 6 digits | 6 digits, `1.0` |
/// | DOUBLE | `1e-7` | `1e-7` | `1e-07`, `1.0` |
/// | FLOAT(7,3), DOUBLE(10,2) | all digits of the number | the declared decimals | the declared decimals |
/// | text of digits | text | **a number** | text |
/// | DATETIME(3) | `"2025-01-15T10:30:00.120"` | `"2025-01-15T10:30:00.120Z"` | `"2025-01-15T10:30:00.120000"` |
/// | DATE | `"1993-06-15"` | `"1993-06-15T00:00:00.000Z"` | `"1993-06-15"` |
/// | zero DATETIME | `"0000-00-00T00:00:00"` | `null` | `"0000-00-00 00:00:00"` |
/// | zero DATE | `"0000-00-00"` | `"1899-11-30T00:00:00.000Z"` | `"0000-00-00"` |
/// | JSON | the document | the document, through `JSON.parse` | its text in a string |
/// | BIT | a number | `{"type":"Buffer","data":[1]}` | text, without invalid UTF-8 |
/// | BINARY, BLOB | base64 | `{"type":"Buffer","data":[…]}` | text, without invalid UTF-8 |
/// | VECTOR | base64 | `[0.5,2]`; **`[]` for NULL** | text, without invalid UTF-8 |
/// | GEOMETRY | base64 of SRID and WKB | `{"x":1,"y":2}` and arrays of it | text, without invalid UTF-8 |
/// | columns with one name | an error | the last one, in the place of the first | the second is `table.name` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RowFormat {
    /// Without loss. The default.
    ///
    /// - DECIMAL is spelled as by `JSON.stringify` if a double holds it (`10.50` is `10.5`).
    ///   Otherwise all its digits stay, without the zeros that end the fraction.
    /// - DATETIME and TIMESTAMP are ISO 8601 without a zone, with the declared fraction digits.
    /// - JSON is embedded without white space; numbers, escapes and order stay as the server's.
    /// - Binary is base64 with the standard alphabet and padding. BIT is a number of up to 64 bits.
    /// - Zero dates and dates such as `2025-02-00` keep their digits.
    #[default]
    Canonical,
    /// As the npm peer writes it (4.1, mysql2 3.24) in the time zone UTC, with its quirks.
    ///
    /// - Text that looks like a number (`00123`, `1.50`, `-7`, `5.`) becomes a number.
    /// - Milliseconds are cut, not rounded. Impossible dates roll over: `2025-02-31` is 3 March.
    ///   Years below 100 become 19xx and 20xx, as in JavaScript's `Date`.
    /// - Columns whose names are array indexes (`SELECT 1`) come first, ascending.
    /// - A DOUBLE of 16 digits can differ from the stored one in the last digit, as in mysql2.
    TypeScript,
    /// As the PyPI peer writes it (0.4, aiomysql with PyMySQL), with its quirks.
    ///
    /// - TIME is written as text. The peer fails on TIME, so it can't have stored anything else.
    /// - A second column with one name is `table.name`, which needs
    ///   [`Column::table`](crate::Column::table). Without a table, the result is an error.
    Python,
}

impl std::str::FromStr for RowFormat {
    type Err = UnknownRowFormat;

    /// Reads `canonical`, `typescript` or `python`.
    fn from_str(name: &str) -> Result<Self, UnknownRowFormat> {
        match name {
            "canonical" => Ok(Self::Canonical),
            "typescript" => Ok(Self::TypeScript),
            "python" => Ok(Self::Python),
            _ => Err(UnknownRowFormat),
        }
    }
}

/// The name belongs to no row format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row format is canonical, typescript or python")]
pub struct UnknownRowFormat;
