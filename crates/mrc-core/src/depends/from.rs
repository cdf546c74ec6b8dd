//! The tables of one `SELECT`, and what the joins between them mean for conditions.

use std::ops::Range;

use sqlparser::ast::{
    Cte, Expr, JoinConstraint, JoinOperator, ObjectName, Query, TableAlias, TableFactor, TableWithJoins,
};

use super::lack::Lack;
use super::refusal::NotFollowable;
use super::text::{TableName, plain};

/// One table factor of a `SELECT`.
#[derive(Debug)]
pub(super) struct Factor {
    /// The name that qualifies its columns: the alias, or else the table's name.
    pub(super) name: Option<String>,
    /// The schema that may stand before the name. `None` if the factor has an alias.
    pub(super) schema: Option<String>,
    /// `None` for a derived table and for a CTE.
    pub(super) table: Option<TableName>,
    /// Whether an outer join may add rows in which all its columns are `NULL`.
    pub(super) nullable: bool,
}

/// A clause with the factors for which its conditions count.
pub(super) struct Clause<'a> {
    pub(super) condition: &'a Expr,
    pub(super) counts_for: Range<usize>,
    /// The factors for which `IS NULL` counts.
    pub(super) not_null: Vec<usize>,
    pub(super) is_on: bool,
}

/// The `FROM` of a `SELECT`.
pub(super) struct From<'a> {
    pub(super) factors: Vec<Factor>,
    /// All `ON`, in order.
    pub(super) ons: Vec<Clause<'a>>,
    /// How many names of tables were read.
    pub(super) relations: usize,
    names: &'a Names<'a>,
    lack: Lack,
}

/// The meanings of a statement's names.
pub(super) struct Names<'a> {
    pub(super) default_schema: Option<&'a str>,
    pub(super) scopes: Scopes,
}

impl<'a> From<'a> {
    pub(super) fn read(from: &'a [TableWithJoins], names: &'a Names<'a>, lack: Lack) -> Result<Self, NotFollowable> {
        let mut read = Self { factors: Vec::new(), ons: Vec::new(), relations: 0, names, lack };
        from.iter().try_for_each(|tree| read.tree(tree))?;
        Ok(read)
    }

    /// Returns the factors for which `IS NULL` counts now.
    pub(super) fn not_null(&self, range: Range<usize>) -> Vec<usize> {
        let is_not_null = |at: &usize| {
            self.lack == Lack::NullableSide || self.factors.get(*at).is_some_and(|factor| !factor.nullable)
        };
        range.filter(is_not_null).collect()
    }

    fn tree(&mut self, tree: &'a TableWithJoins) -> Result<(), NotFollowable> {
        let start = self.factors.len();
        self.factor(&tree.relation)?;
        for join in &tree.joins {
            let middle = self.factors.len();
            self.factor(&join.relation)?;
            let (left, right) = (start..middle, middle..self.factors.len());
            let both = start..self.factors.len();
            let of_outer = |side: &Range<usize>| if self.lack == Lack::OuterOn { both.clone() } else { side.clone() };
            let unknown = || Err(NotFollowable::Unknown { what: join.to_string().trim().to_owned() });
            if join.global {
                return unknown();
            }
            let (constraint, counts_for, nullable) = match &join.join_operator {
                JoinOperator::Join(on)
                | JoinOperator::Inner(on)
                | JoinOperator::CrossJoin(on)
                | JoinOperator::StraightJoin(on) => (on, both.clone(), 0..0),
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (on, of_outer(&right), right),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (on, of_outer(&left), left),
                // MySQL has none of the others: it reads `a FULL JOIN b` as an alias.
                _ => return unknown(),
            };
            if let JoinConstraint::On(condition) = constraint {
                let not_null = self.not_null(counts_for.clone());
                self.ons.push(Clause { condition, counts_for, not_null, is_on: true });
            }
            for factor in self.factors.get_mut(nullable).unwrap_or_default() {
                factor.nullable = true;
            }
        }
        Ok(())
    }

    fn factor(&mut self, factor: &'a TableFactor) -> Result<(), NotFollowable> {
        let alias = factor_alias(factor);
        let (mut schema, mut table) = (None, None);
        let mut name = alias.map(|alias| alias.name.value.clone());
        match factor {
            TableFactor::Table {
                name: written,
                args: None,
                version: None,
                with_ordinality: false,
                json_path: None,
                sample: None,
                ..
            } if alias.is_none_or(|alias| alias.columns.is_empty()) => {
                self.relations += 1;
                table = self.names.table(written)?;
                if let (None, Some(last)) = (&name, written.0.last().and_then(|part| part.as_ident())) {
                    name = Some(last.value.clone());
                    schema = table.as_ref().map(|table| table.schema().to_owned());
                }
            }
            TableFactor::Derived { .. } | TableFactor::JsonTable { .. } => {}
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.tree(table_with_joins),
            other => return Err(NotFollowable::Unknown { what: other.to_string() }),
        }
        self.factors.push(Factor { name, schema, table, nullable: false });
        Ok(())
    }
}

impl Names<'_> {
    /// Returns the table of this name. Returns `None` for a CTE.
    fn table(&self, name: &ObjectName) -> Result<Option<TableName>, NotFollowable> {
        let ident = |at: usize| name.0.get(at).and_then(|part| part.as_ident());
        let part = |at: usize| ident(at).and_then(plain);
        let (schema, name) = match (name.0.len(), part(0), part(1)) {
            // A table of this name would need quotes.
            (1, Some(name), _)
                if name.eq_ignore_ascii_case("dual") && ident(0).is_some_and(|it| it.quote_style.is_none()) =>
            {
                return Ok(None);
            }
            (1, Some(name), _) if self.scopes.has_cte(name) => return Ok(None),
            (1, Some(name), _) => match self.default_schema {
                Some(schema) => (schema, name),
                None => return Err(NotFollowable::NoSchema { table: name.into() }),
            },
            (2, Some(schema), Some(name)) => (schema, name),
            _ => return Err(NotFollowable::Unknown { what: name.to_string() }),
        };
        let table = TableName::new(schema, name);
        if matches!(table.schema(), "information_schema" | "performance_schema" | "mysql" | "sys") {
            return Err(NotFollowable::OfServer { table: table.to_string() });
        }
        // Rust and the server agree on the lower case of ASCII.
        let has_sure_case = |name: &str| name.is_ascii() || name.to_lowercase() == name.to_ascii_lowercase();
        if !has_sure_case(schema) || !has_sure_case(name) {
            return Err(NotFollowable::UnsureName { table: table.to_string() });
        }
        Ok(Some(table))
    }
}

fn factor_alias(factor: &TableFactor) -> Option<&TableAlias> {
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::JsonTable { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => alias.as_ref(),
        _ => None,
    }
}

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
