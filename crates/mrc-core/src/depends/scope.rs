//! The names that are CTEs at a place of a statement, and no tables.

use sqlparser::ast::{Cte, Query};

use super::lack::Lack;
use super::name::plain;

/// The CTEs of the queries around a place, the outermost query first.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    open: Vec<Scope>,
    lack: Lack,
}

/// The CTEs of one query.
#[derive(Debug)]
struct Scope {
    /// The names, as they are written. A name with an escaped quote is empty here.
    names: Vec<String>,
    /// How many of the definitions end before the place.
    defined: usize,
    is_recursive: bool,
}

impl Scopes {
    pub(super) fn new(lack: Lack) -> Self {
        Self { open: Vec::new(), lack }
    }

    /// Steps into a query, before its CTEs.
    pub(super) fn enter(&mut self, query: &Query) {
        let name = |cte: &Cte| plain(&cte.alias.name).unwrap_or_default().to_owned();
        let names = query.with.iter().flat_map(|with| &with.cte_tables).map(name).collect();
        let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        self.open.push(Scope { names, defined: 0, is_recursive });
    }

    /// Steps out of a query. The definitions of CTEs come before any other query of their `WITH`.
    pub(super) fn leave(&mut self) {
        let left = self.open.pop();
        let Some(scope) = self.open.last_mut() else { return };
        if scope.defined < scope.names.len() {
            scope.defined += 1;
        }
        if let (Lack::CteScope, Some(left)) = (self.lack, left) {
            scope.names.extend(left.names);
        }
    }

    /// Returns whether a name without a schema surely means a CTE here.
    ///
    /// Some servers tell upper case from lower case in these names, and others don't. So only the
    /// same spelling is sure. MySQL doesn't know the CTEs that follow in a `WITH RECURSIVE`, and
    /// MariaDB does.
    pub(super) fn has_cte(&self, name: &str) -> bool {
        self.open.iter().any(|scope| scope.visible(self.lack).iter().any(|cte| cte == name))
    }
}

impl Scope {
    fn visible(&self, lack: Lack) -> &[String] {
        let own = usize::from(self.is_recursive);
        let end = if lack == Lack::CteScope { self.names.len() } else { self.defined + own };
        self.names.get(..end).unwrap_or(&self.names)
    }
}
