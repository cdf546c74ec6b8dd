//! Random tables and changes. Columns share names, so that a name may be an outer query's.

use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;

/// The names of columns, besides `id`.
pub(crate) const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

const MOST_ID: u32 = 7;

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// `id` is the first.
    pub(crate) columns: Vec<(&'static str, Kind)>,
    /// The columns that have an index.
    indexes: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    pub(crate) views: Vec<View>,
}

/// A view, whose columns are those of one table.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) view: Table,
    /// The name of the table.
    pub(crate) over: String,
}

impl Schema {
    pub(crate) fn random(rng: &mut SmallRng) -> Self {
        Self { tables: (0..4).map(|at| Table::random(format!("t{at}"), rng)).collect(), views: Vec::new() }
    }

    pub(crate) fn sources(&self) -> Vec<&Table> {
        self.tables.iter().chain(self.views.iter().map(|view| &view.view)).collect()
    }

    pub(crate) fn ddl(&self, has_collation: &[bool]) -> Vec<String> {
        self.tables.iter().map(|table| table.ddl(has_collation)).collect()
    }
}

impl Table {
    pub(crate) fn new(name: &str, columns: Vec<(&'static str, Kind)>) -> Self {
        Self { name: name.into(), columns, indexes: Vec::new() }
    }

    pub(crate) fn random(name: String, rng: &mut SmallRng) -> Self {
        let mut columns = vec![("id", Kind::Int)];
        let names = NAMES.into_iter().filter(|_| rng.random_bool(0.55)).collect::<Vec<_>>();
        columns.extend(names.into_iter().map(|name| (name, Kind::random(rng))));
        let indexes = columns.iter().skip(1).map(|(name, _)| *name).filter(|_| rng.random_bool(0.4)).collect();
        Self { name, columns, indexes }
    }

    pub(crate) fn ddl(&self, has_collation: &[bool]) -> String {
        let columns = self.columns.iter().skip(1);
        let columns: String = columns.map(|(name, kind)| format!(", {name} {}", kind.ddl(has_collation))).collect();
        let indexes: String = self.indexes.iter().map(|name| format!(", KEY ({name})")).collect();
        format!("CREATE TABLE {} (id INT PRIMARY KEY{columns}{indexes})", self.name)
    }

    pub(crate) fn dump(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, kind)| kind.dump(name)).collect();
        format!("SELECT {} FROM {} ORDER BY id", columns.join(", "), self.name)
    }
}

/// Returns the rows that a table begins with.
pub(crate) fn first_rows(schema: &Schema, rng: &mut SmallRng) -> Vec<String> {
    let mut rows = Vec::new();
    for table in &schema.tables {
        for id in 1..=rng.random_range(0..=MOST_ID - 2) {
            rows.push(insert(table, id, rng));
        }
    }
    rows
}

/// Returns one to three statements.
pub(crate) fn change(schema: &Schema, rng: &mut SmallRng) -> Vec<String> {
    let count = if rng.random_bool(0.8) { 1 } else { rng.random_range(2..=3) };
    (0..count).map(|_| statement(&schema.tables[rng.random_range(0..schema.tables.len())], rng)).collect()
}

/// Returns one statement that may change rows of the table.
pub(crate) fn statement(table: &Table, rng: &mut SmallRng) -> String {
    let id = rng.random_range(1..=MOST_ID);
    let name = &table.name;
    let others = &table.columns[1..];
    if others.is_empty() || rng.random_bool(0.35) {
        return insert(table, id, rng);
    }
    let (column, kind) = others[rng.random_range(0..others.len())];
    let to = value(kind, rng);
    match rng.random_range(0..6) {
        0 => format!("DELETE FROM {name} WHERE id = {id}"),
        1 => format!("UPDATE {name} SET {column} = {to} WHERE id < {id}"),
        2 => format!("UPDATE IGNORE {name} SET id = {} WHERE id = {id}", rng.random_range(1..=MOST_ID)),
        _ => format!("UPDATE {name} SET {column} = {to} WHERE id = {id}"),
    }
}

fn insert(table: &Table, id: u32, rng: &mut SmallRng) -> String {
    let values: String = table.columns[1..].iter().map(|(_, kind)| format!(", {}", value(*kind, rng))).collect();
    format!("REPLACE INTO {} VALUES ({id}{values})", table.name)
}

fn value(kind: Kind, rng: &mut SmallRng) -> &'static str {
    let is_nullable = !matches!(kind, Kind::DateNotNull | Kind::DateTime);
    if is_nullable && rng.random_bool(0.15) { "NULL" } else { kind.literal(rng) }
}
