//! The schemes of one version of a table.

use mrc_core::depends::{self, BoundScheme, RowValue, TableColumn, TableColumns};

use super::columns::Reading;
use super::{Book, Known};
use crate::event::{Cell, Change, Image, Table};
use crate::rules::{Effects, Reason, TableName};

/// The schemes of one version of a table. Make one for each table id and generation.
#[derive(Debug)]
pub(crate) struct Plan {
    table: TableName,
    /// The positions of the columns that a scheme has, sorted.
    wanted: Vec<usize>,
    columns: Vec<Reading>,
    /// Or why every change ends everything of the table.
    schemes: Result<Vec<BoundScheme>, Reason>,
}

impl Plan {
    /// Returns the plan of a table. Returns `None` if the table has no schemes.
    pub(crate) fn of(table: &Table, known: &Known, book: &Book, mariadb: bool) -> Option<Self> {
        let (name, schemes) = known.of(&table.schema, &table.name)?;
        let name_of_column = |at: usize| table.columns.get(at)?.name.as_ref().map(|name| name.to_lowercase());
        let mut plan = Self { table: name.clone(), wanted: Vec::new(), columns: Vec::new(), schemes: Ok(Vec::new()) };
        if schemes.is_empty() {
            plan.schemes = Err(Reason::Registry);
            return Some(plan);
        }
        if (0..table.columns.len()).any(|at| name_of_column(at).is_none()) {
            plan.schemes = Err(Reason::Metadata);
            return Some(plan);
        }
        let is_wanted = |at: &usize| {
            let name = name_of_column(*at);
            schemes.iter().flat_map(|known| known.scheme.columns()).any(|(wanted, _)| Some(wanted) == name.as_deref())
        };
        plan.wanted = (0..table.columns.len()).filter(is_wanted).collect();
        let mut columns = TableColumns::default();
        for column in plan.wanted.iter().filter_map(|at| table.columns.get(*at)) {
            let (kind, reading) = Reading::of(column, mariadb, |id| book.folding(known, id));
            columns.0.push(TableColumn { name: column.name.clone().unwrap_or_default(), kind });
            plan.columns.push(reading);
        }
        let name = depends::TableName::new(&name.schema, &name.name);
        plan.schemes = Ok(schemes.iter().map(|known| known.scheme.bind(&name, &columns)).collect());
        Some(plan)
    }

    /// Returns the positions of the columns that an image must have.
    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Adds the tags of a changed row. Its images have the wanted columns from `first` on.
    pub(crate) fn apply(&self, change: &Change<'_>, first: usize, effects: &mut Effects) {
        if effects.is_whole(&self.table) {
            return;
        }
        if let Err(reason) = self.add(change, first, effects) {
            effects.mark_whole(&self.table, reason);
        }
    }

    fn add(&self, change: &Change<'_>, first: usize, effects: &mut Effects) -> Result<(), Reason> {
        let schemes = self.schemes.as_ref().map_err(Reason::clone)?;
        let before = change.before.as_ref().map(|image| self.row(image, first));
        let after = change.after.as_ref().map(|image| self.row(image, first));
        let mut buffers = <[String; 2]>::default();
        for scheme in schemes {
            // Its tag ends the entries of all rows.
            if effects.ends_scheme(scheme.tag()) {
                continue;
            }
            match scheme.texts(before.as_deref(), after.as_deref(), &mut buffers) {
                Ok(mut texts) => texts.try_for_each(|tag| effects.end_row(tag))?,
                Err(_) => effects.end_scheme(scheme.tag().clone()),
            }
        }
        Ok(())
    }

    fn row<'c>(&'c self, image: &'c Image<'_>, first: usize) -> Vec<RowValue<'c>> {
        let cells = image.iter().skip(first).chain(std::iter::repeat(&Cell::Absent));
        self.columns.iter().zip(cells).map(|(column, cell)| column.value(cell)).collect()
    }
}
