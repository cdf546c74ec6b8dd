//! The tags that a change ends: what a follower does with the rows of a binlog.

use std::collections::{BTreeMap, HashMap, HashSet};

use mrc_core::Tag;
use mrc_core::depends::{
    BoundScheme, CollationFolding, Lack, RowTags, RowValue, Scheme, SchemeTag, TableColumn, TableColumns, TableName,
};

use crate::schema::{Schema, Table};
use crate::server::Texts;

/// The rows of each table.
pub(crate) type Dump = Vec<Vec<Texts>>;

/// The schemes of a database's tables.
pub(crate) struct Follower<'a> {
    schema: &'a Schema,
    /// The schemes of each table by their text.
    schemes: Vec<BTreeMap<String, BoundScheme>>,
    columns: Vec<TableColumns>,
    names: Vec<TableName>,
    by_name: HashMap<String, usize>,
    lack: Lack,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(schema: &'a Schema, database: &str, foldings: &[CollationFolding], lack: Lack) -> Self {
        let names: Vec<TableName> = schema.tables.iter().map(|table| TableName::new(database, &table.name)).collect();
        let columns = |table: &Table| {
            let column = |(name, kind): &(&str, crate::column::Kind)| TableColumn {
                name: (*name).into(),
                kind: kind.kind(foldings),
            };
            TableColumns(table.columns.iter().map(column).collect())
        };
        Self {
            schema,
            schemes: schema.tables.iter().map(|_| BTreeMap::new()).collect(),
            columns: schema.tables.iter().map(columns).collect(),
            by_name: names.iter().enumerate().map(|(at, name)| (name.to_string(), at)).collect(),
            names,
            lack,
        }
    }

    /// Registers a scheme of an entry. Tables that don't exist never change.
    pub(crate) fn register(&mut self, tag: &SchemeTag) {
        let Some(&at) = self.by_name.get(&tag.scheme.table) else { return };
        let (name, columns, lack) = (&self.names[at], &self.columns[at], self.lack);
        self.schemes[at].entry(tag.scheme.columns.clone()).or_insert_with(|| {
            let scheme = Scheme::parse(&tag.scheme.columns).expect("a scheme that was written is read");
            scheme.bind_lacking(name, columns, lack)
        });
    }

    /// Returns the tags that end, and the tables that changed.
    pub(crate) fn ended(&self, before: &Dump, after: &Dump) -> (HashSet<Tag>, HashSet<String>) {
        let (mut ended, mut tables) = (HashSet::new(), HashSet::new());
        for (at, table) in self.schema.tables.iter().enumerate() {
            for (before, after) in differences(&before[at], &after[at]) {
                tables.insert(self.names[at].to_string());
                let mut rooms = [rooms(table), rooms(table)];
                let [room, other] = &mut rooms;
                let before = before.map(|row| values(table, row, room));
                let after = after.map(|row| values(table, row, other));
                for scheme in self.schemes[at].values() {
                    match scheme.tags(before.as_deref(), after.as_deref()) {
                        RowTags::Tags(tags) => ended.extend(tags),
                        RowTags::EveryEntryOfTheScheme(_) => _ = ended.insert(scheme.tag().clone()),
                    }
                }
            }
        }
        (ended, tables)
    }
}

fn rooms(table: &Table) -> Vec<Vec<u8>> {
    vec![Vec::new(); table.columns.len()]
}

fn values<'v>(table: &Table, row: &'v Texts, rooms: &'v mut [Vec<u8>]) -> Vec<RowValue<'v>> {
    let columns = table.columns.iter().zip(row).zip(rooms);
    columns.map(|(((_, kind), text), room)| kind.row_value(text.as_deref(), room)).collect()
}

/// Returns the rows that differ, by their ids.
fn differences<'d>(before: &'d [Texts], after: &'d [Texts]) -> Vec<(Option<&'d Texts>, Option<&'d Texts>)> {
    let by_id = |rows: &'d [Texts]| -> BTreeMap<&'d Option<String>, &'d Texts> {
        rows.iter().filter_map(|row| Some((row.first()?, row))).collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let ids: HashSet<_> = before.keys().chain(after.keys()).collect();
    let pair = |id: &&&Option<String>| (before.get(**id).copied(), after.get(**id).copied());
    ids.iter().map(pair).filter(|(before, after)| before != after).collect()
}
