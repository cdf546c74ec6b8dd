//! Rules that the oracle switches off, to see that it finds the misses that each prevents.

/// The rule that is switched off. For the oracle alone: an answer without a rule may be stale.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lack {
    /// All rules hold.
    #[default]
    Nothing,
    /// Rule 1: `IS NULL` counts on the nullable side of an outer join too.
    NullableSide,
    /// Rule 2: `ON` of an outer join counts for both sides.
    OuterOn,
    /// Rule 3: an unqualified column is taken for the own table's, without the follower's word.
    Unqualified,
    /// Rule 4: conditions below `OR` count.
    BelowOr,
    /// Rule 4: clauses aren't judged by their tokens.
    Tokens,
    /// Rule 6: subqueries have no occurrences.
    Subqueries,
    /// Rule 6: a CTE's name means the CTE in its own definition, before it, and behind its query
    /// too.
    CteScope,
    /// Texts are compared byte by byte.
    Fold,
    /// Every class fits every column.
    Classes,
    /// The row before a change gives no tags.
    Before,
}

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) lack: Lack,
    /// Whether the texts of conditions are kept, for people.
    pub(super) explains: bool,
}
