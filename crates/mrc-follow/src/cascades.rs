//! Foreign keys whose actions change rows that the log lacks: MySQL before 9.6.
//!
//! MariaDB lacks these rows too, but it describes their table.

use std::collections::{HashMap, HashSet};

use crate::event::Flavor;
use crate::rules::TableName;
use crate::source::{Session, SourceError};

const FOREIGN_KEYS: &str = "SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME \
    FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
    OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')";

/// The first MySQL that logs the rows which foreign keys change.
const LOGGED_SINCE: (u32, u32) = (9, 6);

/// For each table, the tables whose rows change with its rows, directly or through others.
#[derive(Debug, Default)]
pub(crate) struct Cascades {
    children: HashMap<TableName, Vec<TableName>>,
    /// Whether the server changes rows without logging them.
    pub(crate) are_needed: bool,
}

impl Cascades {
    /// Reads the foreign keys that the user may see. None are needed if the log has their rows.
    pub(crate) async fn read(session: &mut Session) -> Result<Self, SourceError> {
        if !are_unlogged(session).await? {
            return Ok(Self::default());
        }
        let rows: Vec<(String, String, String, String)> = session.rows(FOREIGN_KEYS, Vec::new()).await?;
        let keys = rows.into_iter().map(|(schema, parent, child_schema, child)| {
            (TableName::new(schema, parent), TableName::new(child_schema, child))
        });
        Ok(Self { children: closed(keys), are_needed: true })
    }

    /// Returns the tables whose rows change with the rows of a table.
    pub(crate) fn of(&self, schema: &str, table: &str) -> &[TableName] {
        if self.children.is_empty() {
            return &[];
        }
        self.children.get(&TableName::new(schema, table)).map_or(&[], Vec::as_slice)
    }
}

/// Returns whether foreign keys change rows that the log lacks, and whose table it doesn't describe.
pub(crate) async fn are_unlogged(session: &mut Session) -> Result<bool, SourceError> {
    if session.flavor() == Flavor::MariaDb {
        return Ok(false);
    }
    const NATIVE: &str = "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'";
    let native: Vec<(String, String)> = session.rows(NATIVE, Vec::new()).await?;
    Ok(native.iter().any(|(_, value)| value == "ON") || version(session.version()) < LOGGED_SINCE)
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

/// Returns the first two numbers of `9.7.4`.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(['.', '-']).map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version("10.0.1-log") >= LOGGED_SINCE && version("9.6") >= LOGGED_SINCE);
        assert!(version("9.5.9") < LOGGED_SINCE && version("8.0.43-commercial") < LOGGED_SINCE);
    }

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
