//! Foreign keys whose actions change rows that the log lacks: MySQL.
//!
//! MySQL before 9.6 logs none of these rows. 9.7 logs most of them: in a load of concurrent writers
//! some transactions lacked theirs, and didn't describe their table either. MariaDB lacks all of
//! them, but describes their table.

use std::collections::{HashMap, HashSet};

use crate::event::Flavor;
use crate::rules::TableName;
use crate::source::{Session, SourceError};

const FOREIGN_KEYS: &str = "SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME \
    FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
    OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')";

/// For each table, the tables whose rows change with its rows, directly or through others.
#[derive(Debug, Default)]
pub(crate) struct Cascades {
    children: HashMap<TableName, Vec<TableName>>,
}

impl Cascades {
    /// Reads the foreign keys that the user may see.
    pub(crate) async fn read(session: &mut Session) -> Result<Self, SourceError> {
        if session.flavor() == Flavor::MariaDb {
            return Ok(Self::default());
        }
        let rows: Vec<(String, String, String, String)> = session.rows(FOREIGN_KEYS, Vec::new()).await?;
        let keys = rows.into_iter().map(|(schema, parent, child_schema, child)| {
            (TableName::new(schema, parent), TableName::new(child_schema, child))
        });
        Ok(Self { children: closed(keys) })
    }

    /// Returns the tables whose rows change with the rows of a table.
    pub(crate) fn of(&self, schema: &str, table: &str) -> &[TableName] {
        if self.children.is_empty() {
            return &[];
        }
        self.children.get(&TableName::new(schema, table)).map_or(&[], Vec::as_slice)
    }
}

/// Returns all descendants of each parent.
fn closed(keys: impl Iterator<Item = (TableName, TableName)>) -> HashMap<TableName, Vec<TableName>> {
    let mut direct: HashMap<TableName, Vec<TableName>> = HashMap::new();
    for (parent, child) in keys {
        direct.entry(parent).or_default().push(child);
    }
    let descendants = |parent: &TableName| {
        let (mut found, mut open) = (HashSet::new(), vec![parent]);
        while let Some(table) = open.pop() {
            for child in direct.get(table).into_iter().flatten() {
                if found.insert(child.clone()) {
                    open.push(child);
                }
            }
        }
        found.into_iter().collect()
    };
    direct.keys().map(|parent| (parent.clone(), descendants(parent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grandchildren_count_and_circles_end() {
        let table = |name: &str| TableName::new("shop", name);
        let keys = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "x")].map(|(one, other)| (table(one), table(other)));
        let children = closed(keys.into_iter());
        let mut of_a = children[&table("a")].clone();
        of_a.sort();
        assert_eq!(of_a, [table("a"), table("b"), table("c")]);
        assert_eq!(children[&table("x")], [table("x")]);
    }
}
