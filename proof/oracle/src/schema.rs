//! Random tables. Their columns share names, so that a name may be an outer query's.

use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;

/// The names of columns, besides `id`.
pub(crate) const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// `id` is the first.
    pub(crate) columns: Vec<(&'static str, Kind)>,
    /// The columns that have an index.
    indexes: Vec<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
}

impl Schema {
    pub(crate) fn random(rng: &mut SmallRng) -> Self {
        let table = |at: usize, rng: &mut SmallRng| {
            let mut columns = vec![("id", Kind::Int)];
            let names = NAMES.into_iter().filter(|_| rng.random_bool(0.55)).collect::<Vec<_>>();
            columns.extend(names.into_iter().map(|name| (name, Kind::random(rng))));
            let indexes = columns.iter().skip(1).map(|(name, _)| *name).filter(|_| rng.random_bool(0.4)).collect();
            Table { name: format!("t{at}"), columns, indexes }
        };
        Self { tables: (0..4).map(|at| table(at, rng)).collect() }
    }

    pub(crate) fn ddl(&self, has_collation: &[bool]) -> Vec<String> {
        let table = |table: &Table| {
            let columns = table.columns.iter().skip(1);
            let columns: String = columns.map(|(name, kind)| format!(", {name} {}", kind.ddl(has_collation))).collect();
            let indexes: String = table.indexes.iter().map(|name| format!(", KEY ({name})")).collect();
            format!("CREATE TABLE {} (id INT PRIMARY KEY{columns}{indexes})", table.name)
        };
        self.tables.iter().map(table).collect()
    }
}

impl Table {
    pub(crate) fn new(name: &str, columns: Vec<(&'static str, Kind)>) -> Self {
        Self { name: name.into(), columns, indexes: Vec::new() }
    }

    /// Returns the statement that reads all rows.
    pub(crate) fn dump(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, kind)| kind.dump(name)).collect();
        format!("SELECT {} FROM {} ORDER BY id", columns.join(", "), self.name)
    }
}
