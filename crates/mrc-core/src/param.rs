//! Params: the values of a statement's placeholders, each with its name in the key, and the reasons
//! why they have no key.

use std::borrow::Cow;

use crate::nesting::Nesting;
use crate::value::Value;

/// The values of a statement's placeholders, in order, each with its name in the key.
///
/// Usually written with [`params!`](crate::params):
///
/// ```
/// use mrc_core::{params, Params};
///
/// let by_macro = params! { "StoreId" => 6, "State" => "open" };
/// let by_hand = Params::new().with("StoreId", 6).with("State", "open");
/// assert_eq!(by_macro, by_hand);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Vec<Param>);

/// One value and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name in the key. `None` leaves the param out: see [`KeyScheme`](crate::KeyScheme).
    pub name: Option<Cow<'static, str>>,
    /// The value to bind.
    pub value: Value,
}

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

impl Params {
    /// Returns an empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns an empty list with room for `capacity` params.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Adds a named param, and returns the list.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a param without a name, and returns the list.
    ///
    /// The param is bound but isn't in the key: calls that differ only in it share an entry. Needs
    /// [`KeyScheme::allow_unnamed`](crate::KeyScheme::allow_unnamed).
    #[must_use]
    pub fn with_unnamed(mut self, value: impl Into<Value>) -> Self {
        self.0.push(Param { name: None, value: value.into() });
        self
    }

    /// Adds a named param.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.0.push(Param { name: Some(name.into()), value: value.into() });
    }

    /// Returns the param at this position, counted from 0, to replace its value.
    pub fn get_mut(&mut self, position: usize) -> Option<&mut Param> {
        self.0.get_mut(position)
    }

    /// Returns the params in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// Returns the values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.iter().map(|param| &param.value)
    }

    /// Returns the number of params.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no params.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that every value can be bound: JSON that nests without end would exhaust the stack.
    ///
    /// # Errors
    /// [`KeyError::TooDeep`] when a JSON document nests too deep: pass a hash of it.
    pub fn check(&self) -> Result<(), KeyError> {
        let mut params = self.0.iter().zip(1..);
        let Some((param, position)) = params.find(|(param, _)| param.value.is_too_deep()) else { return Ok(()) };
        let name = param.name.as_deref().map_or_else(|| format!("param {position}"), str::to_owned);
        Err(KeyError::TooDeep { name })
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Params {
    type Item = Param;
    type IntoIter = std::vec::IntoIter<Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Param> for Params {
    fn from_iter<I: IntoIterator<Item = Param>>(params: I) -> Self {
        Self(params.into_iter().collect())
    }
}

/// Builds the params of a statement: `"Name" => value` for each placeholder, in order.
///
/// ```
/// use mrc_core::params;
///
/// let none = params! {};
/// let some = params! { "StoreId" => 6, "States" => ["open", "paid"] };
/// assert_eq!((none.len(), some.len()), (0, 2));
/// ```
#[macro_export]
macro_rules! params {
    () => { $crate::Params::new() };
    ($($name:expr => $value:expr),+ $(,)?) => {
        $crate::Params::new()$(.with($name, $value))+
    };
}
