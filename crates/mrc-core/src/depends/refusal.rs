//! The reasons why a statement isn't followed, and why a condition doesn't narrow it.

use crate::statement::NotCacheable;

/// The reason why the rows that a statement reads can't be told from its text.
///
/// Its entry is still cached, and ends by its TTL alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFollowable {
    /// The read-only check refuses the text, or would without `trust_read_only()`.
    #[error("{}", .0.reason())]
    Refused(NotCacheable),
    /// The parser can't read the text.
    #[error("the parser can't read it: {why}")]
    NotParsed {
        /// The parser's error.
        why: String,
    },
    /// The text nests too deep for the stack, or chains too many operators.
    #[error("it nests or chains more than {most} operators")]
    TooDeep {
        /// The most levels of parentheses and operators.
        most: usize,
    },
    /// The statement has a part whose rows aren't known.
    #[error("`{what}` reads rows that can't be told from the text")]
    Unknown {
        /// The part.
        what: String,
    },
    /// The table is the server's own: no change of it is in the binlog.
    #[error("`{table}` is a table of the server, and its changes aren't in the binlog")]
    OfServer {
        /// The table.
        table: String,
    },
    /// The table has no schema in the text, and the connection has no database.
    #[error("`{table}` has no schema, and the connection has no database")]
    NoSchema {
        /// The table.
        table: String,
    },
    /// The name has a letter whose lower case depends on the server.
    #[error("`{table}` has upper case letters outside of ASCII, whose lower case depends on the server")]
    UnsureName {
        /// The table.
        table: String,
    },
}

/// The reason why a condition doesn't narrow the rows that a statement depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftOutReason {
    /// It isn't `column = constant`, `column IN (constants)` or `column IS NULL`.
    NotAnEquality,
    /// It stands below an `OR` or a `NOT`.
    BelowOr,
    /// One side is a column inside of a function or of arithmetic.
    OfAnExpression,
    /// It compares with another column, or with a subquery.
    NotAConstant,
    /// The constant is `NULL`, a float, a text in double quotes, or another one without a class.
    Constant,
    /// The column has no table before it, and the `SELECT` reads several.
    Unqualified,
    /// The name before the column is no table of the same `SELECT`, or of several.
    NotOfThisSelect,
    /// It stands in the `ON` of an outer join, and is about the side that keeps its rows.
    OuterJoin,
    /// `IS NULL` is true for the rows that an outer join adds.
    NullableSide,
    /// The clause has an operator whose precedence isn't sure.
    Operators,
    /// The table has other conditions on the same column, or enough of them.
    Enough,
    /// The text has `MATCH … AGAINST`, whose scores depend on all rows.
    FullText,
}

impl LeftOutReason {
    /// Returns the reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotAnEquality => "it isn't `column = constant`, `column IN (constants)` or `column IS NULL`",
            Self::BelowOr => "it is below OR or NOT",
            Self::OfAnExpression => "it compares a function of the column, not the column",
            Self::NotAConstant => "it compares with a column or a subquery, not with a constant",
            Self::Constant => "the constant is NULL, a float, in double quotes, or of another type without a class",
            Self::Unqualified => "the column has no table before it, and the SELECT reads several: qualify it",
            Self::NotOfThisSelect => "the table before the column isn't one of the same SELECT, or not only one",
            Self::OuterJoin => "it is in the ON of an outer join, about the side that keeps its rows",
            Self::NullableSide => "IS NULL is true for the rows that an outer join adds",
            Self::Operators => "the clause has an operator whose precedence isn't sure: write another one",
            Self::Enough => "the table has another condition on this column, or eight conditions",
            Self::FullText => "the scores of MATCH … AGAINST depend on all rows",
        }
    }
}
