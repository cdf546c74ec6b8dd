//! The names in a statement.

use std::collections::BTreeSet;

/// The names in a statement, without quotes: tables, databases, columns and keywords alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Returns whether the statement may mean this table. `default` is the default database of its
    /// connection. `ignore_case` tells that the server's names of tables ignore case.
    pub fn may_mean(&self, schema: &str, table: &str, default: &str, ignore_case: bool) -> bool {
        let is_same =
            |one: &str, other: &str| one == other || ignore_case && one.to_lowercase() == other.to_lowercase();
        let has = |name: &str| self.0.contains(name) || ignore_case && self.0.iter().any(|known| is_same(known, name));
        has(table) && (is_same(schema, default) || has(schema))
    }

    /// Returns the names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn insert(&mut self, name: &str) {
        if !self.0.contains(name) {
            self.0.insert(name.to_owned());
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}
