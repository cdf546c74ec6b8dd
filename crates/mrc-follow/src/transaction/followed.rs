//! The followed tables: those of rules, and those of the registered schemes.

use std::sync::Arc;

use crate::auto::{self, Book, Known};
use crate::event::{Change, Flavor, Table};
use crate::rules::{Effects, Plan, Reason, Rules};
use crate::statement::Statement;

/// The rules, and the schemes that are known since the transaction began.
#[derive(Debug)]
pub(super) struct Followed {
    rules: Arc<Rules>,
    /// `None` without `auto`.
    book: Option<Arc<Book>>,
    pub(super) known: Arc<Known>,
    is_mariadb: bool,
}

impl Followed {
    pub(super) fn new(flavor: Flavor, rules: Arc<Rules>, book: Option<Arc<Book>>) -> Self {
        let known = book.as_ref().map(|book| book.known()).unwrap_or_default();
        Self { rules, book, known, is_mariadb: flavor == Flavor::MariaDb }
    }

    /// Takes the newest schemes. Returns whether plans are outdated.
    pub(super) fn renew(&mut self) -> bool {
        let Some(book) = &self.book else { return false };
        let before = self.known.generation;
        self.known = book.known();
        self.known.generation != before
    }

    pub(super) fn plan(&self, table: &Arc<Table>) -> TablePlan {
        let rules = self.rules.plan(table);
        let book = self.book.as_ref();
        let auto = book.and_then(|book| auto::Plan::of(table, &self.known, book, self.is_mariadb));
        let more = auto.iter().flat_map(auto::Plan::wanted);
        let wanted = rules.wanted().iter().chain(more).copied().collect();
        TablePlan { table: Arc::clone(table), rules, auto, wanted }
    }

    /// Marks everything of a table, if it is followed.
    pub(super) fn mark_whole(&self, schema: &str, table: &str, reason: &Reason, effects: &mut Effects) {
        self.rules.mark_whole(schema, table, reason, effects);
        self.known.mark_whole(schema, table, reason, effects);
    }

    /// Marks everything of the tables that a statement may have changed.
    pub(super) fn apply_statement(&self, statement: &Statement, schema: &str, effects: &mut Effects) {
        self.rules.apply_statement(statement, schema, effects);
        self.known.apply_statement(statement, schema, effects);
    }
}

#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) table: Arc<Table>,
    rules: Plan,
    auto: Option<auto::Plan>,
    /// The positions of the columns that an image must have: those of the rules first.
    pub(super) wanted: Vec<usize>,
}

impl TablePlan {
    pub(super) fn is_ignored(&self) -> bool {
        self.rules.is_ignored() && self.auto.is_none()
    }

    pub(super) fn apply(&self, change: &Change<'_>, effects: &mut Effects) {
        self.rules.apply(change, effects);
        if let Some(auto) = &self.auto {
            auto.apply(change, self.rules.wanted().len(), effects);
        }
    }
}
