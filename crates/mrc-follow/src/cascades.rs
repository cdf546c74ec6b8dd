//! Foreign keys whose actions change rows that the log lacks.
//!
//! MySQL before 9.6 logs none of these rows. 9.7 logs most of them: in a load of concurrent writers
//! some transactions lacked theirs, and didn't describe their table either. MariaDB logs none of
//! them, but describes their table. The keys tell of a described table that has rows of its own.

use std::collections::{HashMap, HashSet};

use crate::event::Operation;
use crate::rules::TableName;
use crate::source::{Session, SourceError};
use crate::statement::Names;

const FOREIGN_KEYS: &str = "SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, \
    DELETE_RULE, UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS \
    WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
    OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')";

/// For each table, the tables whose rows change with its rows, directly or through others.
#[derive(Debug, Default)]
pub(crate) struct Cascades {
    children: HashMap<Change, Vec<TableName>>,
}

type Change = (TableName, Operation);

impl Cascades {
    pub(crate) async fn read(session: &mut Session) -> Result<Self, SourceError> {
        let keys: Vec<ForeignKey> = session.rows(FOREIGN_KEYS, Vec::new()).await?;
        Ok(Self::of_keys(keys))
    }

    pub(crate) fn of_keys(keys: impl IntoIterator<Item = ForeignKey>) -> Self {
        Self { children: closed(keys.into_iter().flat_map(steps)) }
    }

    /// Returns the tables whose rows change with such a change of rows of a table.
    pub(crate) fn of(&self, schema: &str, table: &str, operation: Operation) -> &[TableName] {
        if self.children.is_empty() || operation == Operation::Insert {
            return &[];
        }
        self.children.get(&(TableName::new(schema, table), operation)).map_or(&[], Vec::as_slice)
    }

    /// Returns the tables whose rows change with those of the tables that DDL names. `schema` is
    /// the default database of its connection.
    ///
    /// The keys may be newer than the log that is read. DDL on a table that has lost its key since
    /// ends what the key changed before.
    pub(crate) fn of_ddl(&self, names: &Names, schema: &str) -> impl Iterator<Item = &TableName> {
        let is_named = |parent: &TableName| names.may_mean(&parent.schema, &parent.name, schema, true);
        self.children.iter().filter(move |((parent, _), _)| is_named(parent)).flat_map(|(_, children)| children)
    }
}

/// Schema and name of the parent, those of the child, and the actions on delete and on update.
pub(crate) type ForeignKey = (String, String, String, String, String, String);

/// Returns the changes of a parent, and the change of a child that each brings.
fn steps((schema, name, child_schema, child_name, on_delete, on_update): ForeignKey) -> Vec<(Change, Change)> {
    let (parent, child) = (TableName::new(schema, name), TableName::new(child_schema, child_name));
    let of_delete = match &*on_delete {
        "CASCADE" => Some(Operation::Delete),
        "SET NULL" | "SET DEFAULT" => Some(Operation::Update),
        _ => None,
    };
    // Both servers refuse an update that would change further rows of the same table.
    let has_update = matches!(&*on_update, "CASCADE" | "SET NULL" | "SET DEFAULT") && parent != child;
    let of_update = has_update.then_some(Operation::Update);
    let step = |from: Operation, to: Option<Operation>| Some(((parent.clone(), from), (child.clone(), to?)));
    [step(Operation::Delete, of_delete), step(Operation::Update, of_update)].into_iter().flatten().collect()
}

/// Returns the tables of all changes that each change brings.
fn closed(steps: impl Iterator<Item = (Change, Change)>) -> HashMap<Change, Vec<TableName>> {
    let mut direct: HashMap<Change, Vec<Change>> = HashMap::new();
    for (from, to) in steps {
        direct.entry(from).or_default().push(to);
    }
    let descendants = |from: &Change| {
        let (mut found, mut open) = (HashSet::new(), vec![from]);
        while let Some(change) = open.pop() {
            for next in direct.get(change).into_iter().flatten() {
                if found.insert(next) {
                    open.push(next);
                }
            }
        }
        let tables: HashSet<&TableName> = found.into_iter().map(|(table, _)| table).collect();
        tables.into_iter().cloned().collect()
    };
    direct.keys().map(|from| (from.clone(), descendants(from))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parent: &str, child: &str, on_delete: &str, on_update: &str) -> ForeignKey {
        let text = |text: &str| text.to_owned();
        (text("shop"), text(parent), text("shop"), text(child), text(on_delete), text(on_update))
    }

    fn check(keys: &[ForeignKey], operation: Operation, table: &str, expected: &[&str]) {
        let cascades = Cascades::of_keys(keys.iter().cloned());
        let mut found: Vec<_> = cascades.of("shop", table, operation).iter().map(|child| &*child.name).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{operation:?} of {table}");
    }

    #[test]
    fn grandchildren_count_and_circles_end() {
        let keys = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "x")];
        let keys = keys.map(|(parent, child)| key(parent, child, "CASCADE", "CASCADE"));
        for operation in [Operation::Delete, Operation::Update] {
            check(&keys, operation, "a", &["a", "b", "c"]);
        }
        check(&keys, Operation::Delete, "x", &["x"]);
        check(&keys, Operation::Update, "x", &[]);
        check(&keys, Operation::Insert, "a", &[]);
    }

    #[test]
    fn an_action_begins_with_its_change_alone() {
        let keys = [
            key("a", "b", "SET NULL", "RESTRICT"),
            key("b", "c", "CASCADE", "NO ACTION"),
            key("b", "d", "NO ACTION", "SET NULL"),
        ];
        check(&keys, Operation::Delete, "a", &["b", "d"]);
        check(&keys, Operation::Update, "a", &[]);
        check(&keys, Operation::Delete, "b", &["c"]);
        check(&keys, Operation::Update, "b", &["d"]);
    }
}
