//! The reasons why params have no key.

use crate::nesting::Nesting;

/// These params have no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A param without a name: calls that differ only in it would share an entry.
    #[error(
        "param {position} has no name: every param needs one, or queries that differ in it would share an entry; name it, or allow unnamed params"
    )]
    Unnamed {
        /// The position, from 1.
        position: usize,
    },
    /// A param whose name is empty.
    #[error("the name of param {position} is empty: give it the name that an invalidation will call it by")]
    EmptyName {
        /// The position, from 1.
        position: usize,
    },
    /// A name that contains `=`, which ends a name in a key.
    #[error("the name {name:?} has a `=`, which ends a name in the key: leave it out of the name")]
    NameWithEquals {
        /// The name.
        name: String,
    },
    /// NaN or an infinity.
    #[error("the value of {name} is not a finite number: no row can equal it; pass NULL or leave the condition out")]
    NotFinite {
        /// The name of the param.
        name: String,
    },
    /// An empty list.
    #[error("the list of {name} is empty, and `IN ()` is not SQL: answer without asking the database")]
    EmptyList {
        /// The name of the param.
        name: String,
    },
    /// A JSON document that nests deeper than [`Nesting::LEVELS`].
    #[error(
        "the JSON of {name} nests deeper than {} levels: MySQL takes 100; pass what identifies it, such as a hash",
        Nesting::LEVELS
    )]
    TooDeep {
        /// The name of the param, or its position if it has none.
        name: String,
    },
    /// A list inside a list.
    #[error("the list of {name} has a list inside: `IN (?)` takes a flat list")]
    NestedList {
        /// The name of the param.
        name: String,
    },
}
