//! The prepared statement for a call.
//!
//! MySQL (since 8.0.22) derives each placeholder's type when it prepares a statement. A value of
//! another type makes it prepare the statement again for that type. The new type stays, and later
//! values are converted to it: a call could differ from one on a fresh connection. Two rules
//! prevent that:
//!
//! - Calls share a statement only if their values have the same types: see [`keyed`].
//! - A statement is kept only if the types are those that the server derived: see [`is_kept`].
//!   Otherwise even values of one type change it: `1.5` makes an integer's placeholder a decimal.

use mysql_async::Value as Driver;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Conn, Statement};

/// The first MySQL that derives types. MariaDB has higher versions, and reports no types.
const DERIVES_TYPES: (u16, u16, u16) = (8, 0, 22);

/// Returns the text to prepare: `sql` with the types of the values as white space at its end.
///
/// The driver finds kept statements by their text. Servers remove trailing white space before they
/// parse or log a text, so no log, digest or hint shows it. Two signatures of a text never end
/// alike: the codes are prefix-free, and trailing white space of the text itself is removed first.
pub(super) fn keyed(sql: &str, values: &[Driver]) -> String {
    let sql = sql.trim_end_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let mut text = String::with_capacity(sql.len() + values.len());
    text.push_str(sql);
    text.extend(values.iter().map(code));
    text
}

fn code(value: &Driver) -> &'static str {
    match value {
        Driver::Int(_) => " ",
        Driver::Bytes(_) => "\t",
        Driver::NULL => "\n",
        Driver::Date(..) => "\r",
        Driver::Float(_) | Driver::Double(_) => "\x0b",
        Driver::Time(..) => "\x0c ",
        Driver::UInt(_) => "\x0c\t",
    }
}

/// Returns whether a call with these values leaves the statement as prepared. Otherwise close it.
pub(super) fn is_kept(conn: &Conn, prepared: &Statement, values: &[Driver]) -> bool {
    conn.server_version() < DERIVES_TYPES
        || prepared
            .params()
            .iter()
            .zip(values)
            .all(|(param, value)| is_of(param.column_type(), param.flags().contains(ColumnFlags::UNSIGNED_FLAG), value))
}

/// Returns whether a value has the type that the server derived for its placeholder.
fn is_of(derived: ColumnType, unsigned: bool, value: &Driver) -> bool {
    use ColumnType::*;
    match value {
        _ if derived == MYSQL_TYPE_NULL => true,
        Driver::NULL => true,
        Driver::Int(int) => derived == MYSQL_TYPE_LONGLONG && (!unsigned || *int >= 0),
        Driver::UInt(_) => derived == MYSQL_TYPE_LONGLONG && unsigned,
        Driver::Float(_) | Driver::Double(_) => derived == MYSQL_TYPE_DOUBLE,
        Driver::Bytes(_) => derived == MYSQL_TYPE_VAR_STRING,
        Driver::Date(..) => derived == MYSQL_TYPE_DATETIME,
        Driver::Time(..) => derived == MYSQL_TYPE_TIME,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn values() -> [Driver; 7] {
        let (date, time) = (Driver::Date(0, 0, 0, 0, 0, 0, 0), Driver::Time(false, 0, 0, 0, 0, 0));
        [Driver::Int(1), Driver::Bytes(vec![]), Driver::NULL, date, Driver::Double(1.0), time, Driver::UInt(u64::MAX)]
    }

    #[test]
    fn each_signature_of_a_text_has_its_own_statement() {
        let mut texts = HashSet::new();
        for sql in ["SELECT ?, ?, ?", "SELECT ?, ?, ? -- x"] {
            for (a, b, c) in values()
                .iter()
                .flat_map(|a| values().map(|b| (a.clone(), b)))
                .flat_map(|(a, b)| values().map(|c| (a.clone(), b.clone(), c)))
            {
                let text = keyed(sql, &[a, b, c]);
                assert_eq!(text.trim_end(), sql);
                assert!(texts.insert(text));
            }
        }
        assert_eq!(texts.len(), 2 * 343);
    }

    #[test]
    fn white_space_of_the_text_is_no_signature() {
        assert_eq!(keyed("SELECT ? \x0c\t", &[Driver::Int(1)]), keyed("SELECT ?", &[Driver::Int(1)]));
        assert_eq!(keyed("SELECT 1;\n", &[]), "SELECT 1;");
    }

    #[test]
    fn only_the_derived_type_leaves_a_statement_as_it_was() {
        use ColumnType::*;
        let derived = [
            (MYSQL_TYPE_LONGLONG, false),
            (MYSQL_TYPE_VAR_STRING, false),
            (MYSQL_TYPE_NULL, false),
            (MYSQL_TYPE_DATETIME, false),
            (MYSQL_TYPE_DOUBLE, false),
            (MYSQL_TYPE_TIME, false),
            (MYSQL_TYPE_LONGLONG, true),
        ];
        for (at, (of, unsigned)) in derived.into_iter().enumerate() {
            for (position, value) in values().iter().enumerate() {
                let small = of == MYSQL_TYPE_LONGLONG && unsigned && position == 0;
                let expected = at == position || *value == Driver::NULL || of == MYSQL_TYPE_NULL || small;
                assert_eq!(is_of(of, unsigned, value), expected, "{of:?} {value:?}");
            }
        }
        assert!(!is_of(MYSQL_TYPE_LONGLONG, true, &Driver::Int(-1)));
        assert!(!is_of(MYSQL_TYPE_NEWDECIMAL, false, &Driver::Bytes(b"1.5".to_vec())));
    }
}
