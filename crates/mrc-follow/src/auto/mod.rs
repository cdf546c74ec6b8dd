//! Tags without rules: each changed row ends the entries whose conditions it meets.
//!
//! Readers register a scheme for the conditions of each query, and their entries carry the tags of
//! [`mrc_core::depends`]. The follower computes the same tags from the rows.
//!
//! # The order
//! Rows are decoded with the schemes that are known then. After readers see the change, the leader
//! reads the registry again. A scheme that wasn't known when the oldest transaction of a batch was
//! decoded is ended as a whole. So no scheme of a read without the change is missing.

mod plan;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use mrc_core::Tag;
use mrc_core::depends::{self, CollationFolding, Scheme, SchemeName};
use mrc_store::{Moment, Registry, lock};

use crate::rules::{Effects, Reason, TableName};
use crate::statement::Statement;
pub(crate) use plan::Plan;

/// The schemes and collations that the leader has learned, for the reader of the log.
#[derive(Debug, Default)]
pub(crate) struct Book {
    known: Mutex<Arc<Known>>,
    /// The collations that plans met and didn't know.
    unknown: Mutex<BTreeSet<u16>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Moves whenever a plan may change.
    pub(crate) generation: u64,
    pub(crate) version: Moment,
    born: Moment,
    /// By tables in lower case. A table without schemes is one of a lost registry.
    tables: BTreeMap<TableName, Vec<KnownScheme>>,
    foldings: HashMap<u16, CollationFolding>,
    /// Schemes of another version of mrc, which can't be read.
    strange: HashSet<SchemeName>,
}

#[derive(Debug, Clone)]
struct KnownScheme {
    name: SchemeName,
    scheme: Scheme,
    /// The generation since which it is known.
    since: u64,
}

impl Book {
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&lock(&self.known))
    }

    /// Takes over the registry. Adds to the effects what it no longer has.
    pub(crate) fn learn(&self, registry: Registry, effects: &mut Effects) {
        let mut known = lock(&self.known);
        *known = Arc::new(known.learn(registry, effects));
    }

    pub(crate) fn take_unknown(&self) -> BTreeSet<u16> {
        std::mem::take(&mut lock(&self.unknown))
    }

    pub(crate) fn add_foldings(&self, foldings: HashMap<u16, CollationFolding>) {
        let mut known = lock(&self.known);
        let mut more = Known::clone(&known);
        more.foldings.extend(foldings);
        more.generation += 1;
        *known = Arc::new(more);
    }

    /// Returns the folding of a collation. Until the server was asked, each text is uncertain.
    fn folding(&self, known: &Known, collation: u16) -> CollationFolding {
        known.foldings.get(&collation).cloned().unwrap_or_else(|| {
            lock(&self.unknown).insert(collation);
            CollationFolding::UNKNOWN
        })
    }
}

impl Known {
    fn learn(&self, registry: Registry, effects: &mut Effects) -> Self {
        // A cluster's server that went back has an older version of the same registry.
        if registry.born != self.born || registry.version < self.version {
            for table in self.tables.keys() {
                effects.mark_whole(table, Reason::Registry);
            }
        }
        let generation = self.generation + 1;
        let old: HashMap<&Tag, &KnownScheme> = self.schemes().map(|known| (&known.name.tag, known)).collect();
        let (mut tables, mut strange) = (BTreeMap::<_, Vec<KnownScheme>>::new(), HashSet::new());
        let (mut present, mut has_new) = (HashSet::new(), false);
        for name in registry.schemes {
            let Ok((table, scheme)) = name.read() else {
                strange.insert(name);
                continue;
            };
            let since = old.get(&name.tag).map_or(generation, |known| known.since);
            has_new |= since == generation;
            present.insert(name.tag.clone());
            let table = TableName::new(table.schema(), table.name());
            tables.entry(table).or_default().push(KnownScheme { name, scheme, since });
        }
        // Until readers register anew, the lost registry's entries may be left.
        if registry.born == Moment::default() {
            tables.extend(self.tables.keys().map(|table| (table.clone(), Vec::new())));
        }
        // A scheme that has ended has no entries. One that was lost may have some.
        let gone = old.into_keys().filter(|tag| !present.contains(*tag));
        // Their tables aren't known, so nothing else ends them at the start and at a loss.
        let gone = gone.chain(self.strange.union(&strange).map(|name| &name.tag));
        let count = gone.map(|tag| effects.end_scheme(tag.clone())).count();
        let generation = if has_new || count > 0 { generation } else { self.generation };
        let (born, version, foldings) = (registry.born, registry.version, self.foldings.clone());
        Self { generation, version, born, tables, foldings, strange }
    }

    /// Adds the tags of schemes that weren't known at a generation.
    ///
    /// After a statement their tables end as a whole. One may be a view that it has changed: calls
    /// to come would go on with the tables that they remember of the view.
    pub(crate) fn add_newer(&self, generation: u64, has_statement: bool, effects: &mut Effects) {
        for (table, schemes) in &self.tables {
            let mut newer = schemes.iter().filter(|known| known.since > generation).peekable();
            if has_statement && newer.peek().is_some() {
                effects.mark_whole(table, Reason::Statement);
            }
            newer.for_each(|known| effects.end_scheme(known.name.tag.clone()));
        }
        self.strange.iter().for_each(|name| effects.end_scheme(name.tag.clone()));
    }

    pub(crate) fn tables(&self) -> impl ExactSizeIterator<Item = &TableName> {
        self.tables.keys()
    }

    pub(crate) fn schemes_len(&self) -> usize {
        self.schemes().count() + self.strange.len()
    }

    fn schemes(&self) -> impl Iterator<Item = &KnownScheme> {
        self.tables.values().flatten()
    }

    /// Returns the table in lower case and its schemes. Returns `None` if it has none.
    fn of(&self, schema: &str, table: &str) -> Option<(&TableName, &[KnownScheme])> {
        if self.tables.is_empty() {
            return None;
        }
        let (name, schemes) = self.tables.get_key_value(&lower(schema, table))?;
        Some((name, schemes))
    }

    /// Marks everything of a table, if it has schemes.
    pub(crate) fn mark_whole(&self, schema: &str, table: &str, reason: &Reason, effects: &mut Effects) {
        if let Some((table, _)) = self.of(schema, table) {
            effects.mark_whole(table, reason.clone());
        }
    }

    /// Marks everything of the tables that a statement may have changed. Statements that may have
    /// changed any table are the rules' affair.
    pub(crate) fn apply_statement(&self, statement: &Statement, schema: &str, effects: &mut Effects) {
        let is_meant = |table: &TableName| statement.may_mean(&table.schema, &table.name, schema, true);
        for table in self.tables.keys().filter(|table| is_meant(table)) {
            effects.mark_whole(table, Reason::Statement);
        }
    }
}

fn lower(schema: &str, table: &str) -> TableName {
    TableName::new(schema.to_lowercase(), table.to_lowercase())
}

/// Returns the tag of every entry that reads the table.
pub(crate) fn table_tag(table: &TableName) -> Tag {
    depends::TableName::new(&table.schema, &table.name).tag()
}
