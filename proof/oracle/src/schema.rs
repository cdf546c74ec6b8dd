//! Random tables. Their columns share names, so that a name may be an outer query's.

use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;

/// The names of columns, besides `id`.
pub(crate) const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

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

    /// Returns the tables and the views.
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

    /// Returns the statement that reads all rows.
    pub(crate) fn dump(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, kind)| kind.dump(name)).collect();
        format!("SELECT {} FROM {} ORDER BY id", columns.join(", "), self.name)
    }
}
