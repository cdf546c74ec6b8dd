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
    #[error("mrc's parser can't read it ({why}): write it in another way")]
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
    #[error("`{table}` has no database before it, and no default is given: write `database.{table}`")]
    NoSchema {
        /// The table.
        table: String,
    },
    /// The statement reads a view whose tables can't be told.
    #[error("the tables of the view `{view}` can't be told: {why}")]
    View {
        /// The view.
        view: String,
        /// The reason.
        why: String,
    },
    /// The database doesn't say what the tables are.
    #[error("the database can't be asked for its tables: {why}")]
    Unasked {
        /// The error.
        why: String,
    },
    /// The changes of such a table don't show in the binlog under its name.
    #[error("`{table}` has the engine {engine}: only InnoDB, MyISAM, Aria and MEMORY are followed")]
    Engine {
        /// The table.
        table: String,
        /// Its engine.
        engine: String,
    },
    /// The sessions have a mode in which a text means something else.
    #[error("the sessions of cached reads have {mode}, which changes what a text means: unset it")]
    Session {
        /// The mode.
        mode: String,
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
    /// It stands below an `OR`.
    BelowOr,
    /// Neither side is a column alone: one may be a function of a column.
    OfAnExpression,
    /// It compares with another column.
    AnotherColumn,
    /// It compares with an expression.
    Computed,
    /// It compares with a subquery, or is one.
    Subquery,
    /// A constant is `NULL`.
    Null,
    /// A constant is of a type without a class: a float, a time, JSON, a decimal param.
    ConstantType,
    /// A text is in double quotes.
    DoubleQuotes,
    /// A text isn't printable ASCII alone, or a literal has a backslash.
    NotAscii,
    /// A list has constants of several types.
    MixedTypes,
    /// The values would give more than 64 tags.
    TooMany,
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
    /// The table has another condition on the same column, or conditions on eight columns.
    Enough,
    /// The text has `MATCH … AGAINST`, whose scores depend on all rows.
    FullText,
}

impl LeftOutReason {
    /// Returns the reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotAnEquality => {
                "only `column = constant`, `column IN (constants)` and `column IS NULL` narrow the rows"
            }
            Self::BelowOr => "it is below OR",
            Self::OfAnExpression => "neither side is a column alone",
            Self::AnotherColumn => "it compares two columns",
            Self::Computed => "it compares with a computed value",
            Self::Subquery => "it is a subquery, whose tables are listed on their own",
            Self::Null => "no value is equal to NULL",
            Self::ConstantType => "floats, times, JSON and decimal params have no exact tag",
            Self::DoubleQuotes => "a text in double quotes is a name in some sessions",
            Self::NotAscii => "only texts of printable ASCII have an exact tag; a literal may have no backslash",
            Self::MixedTypes => "the list has values of several types",
            Self::TooMany => "its values would give more than 64 tags",
            Self::Unqualified => "the column has no table before it, and the SELECT reads several",
            Self::NotOfThisSelect => "the name before the column isn't a table of the same SELECT, or of two of them",
            Self::OuterJoin => "it is in the ON of an outer join, about the side that keeps its rows",
            Self::NullableSide => "IS NULL is true for the rows that the outer join adds",
            Self::Operators => {
                "its clause has an operator that servers may read differently, such as `||`, XOR, REGEXP or COLLATE"
            }
            Self::Enough => "another condition on this column narrows the rows, or eight columns do",
            Self::FullText => "the scores of MATCH … AGAINST depend on all rows",
        }
    }

    /// Returns what to write instead. Returns `None` if nothing is needed.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::NotAnEquality => "keep it, and add an equality that you know, such as the id of the customer",
            Self::BelowOr => "write `IN (…)` for values of one column, or a UNION of two SELECTs",
            Self::OfAnExpression => "write the column alone: most collations ignore case, so `LOWER` isn't needed",
            Self::AnotherColumn => "if you know the value, compare both columns with it",
            Self::Computed => "compute the value in the program, and pass it as a param",
            Self::Subquery => "give the subquery an equality of its own, if you know one",
            Self::Null => "write `IS NULL`, and leave NULL out of lists",
            Self::ConstantType => "pass an integer, a text, a date or bytes, or add an equality on another column",
            Self::DoubleQuotes => "write single quotes",
            Self::NotAscii => "add an equality on a column of another type, such as an id",
            Self::MixedTypes => "pass values of one type",
            Self::TooMany => "ask for at most 64 values at once",
            Self::Unqualified => "write the table or its alias before the column",
            Self::NotOfThisSelect => "move it to the SELECT of its table, and give each table a name of its own",
            Self::OuterJoin => "move it to the WHERE, if only rows that meet it are wanted",
            Self::NullableSide => "add an equality on this table to the ON",
            Self::Operators => "write the clause with AND, OR, comparisons and functions",
            Self::FullText => "search in a statement of its own",
            Self::Enough => return None,
        })
    }
}
