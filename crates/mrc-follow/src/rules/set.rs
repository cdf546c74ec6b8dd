//! The rules of a follower.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mrc_core::Tag;

use super::rule::Checked;
use super::{Effects, Reason, Rule, RuleError, TableName, TimeZone};
use crate::statement::{Statement, is_same};

/// Rules that were checked.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub(super) rules: Vec<Checked>,
    pub(super) zone: TimeZone,
    pub(super) server: Server,
}

/// The properties of a server that matter to rules. Default: MySQL, names of tables are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Server {
    /// Whether it is MariaDB. In its binlog, `UUID`, `INET4` and `INET6` look like `BINARY(4)` and
    /// `BINARY(16)`, so these are refused there.
    pub mariadb: bool,
    /// Whether names of tables and databases ignore case: `lower_case_table_names` isn't 0.
    pub ignore_case: bool,
}

/// The tags and params of everything that a table's rules can invalidate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fallback {
    /// The tags of all entries.
    pub tags: Vec<Tag>,
    /// The names of params: entries with such a param are dropped, whatever its value.
    pub params: Vec<Arc<str>>,
}

impl Rules {
    /// Checks the rules.
    ///
    /// # Errors
    /// [`RuleError`] when a rule can't be used. It names the table, the key and the fix.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, RuleError> {
        let rules = rules.into_iter().map(|rule| rule.check()).collect::<Result<_, _>>()?;
        Ok(Self { rules, ..Self::default() })
    }

    /// Sets the time zone in which params and tags hold `TIMESTAMP` values. Default: UTC.
    #[must_use]
    pub fn time_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Sets what is known about the server. Default: MySQL, names of tables are exact.
    #[must_use]
    pub fn server(self, server: Server) -> Self {
        Self { server, ..self }
    }

    /// Returns whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the tables that have rules, sorted.
    pub fn tables(&self) -> Vec<&TableName> {
        self.rules.iter().map(|rule| &rule.table).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the fallback for everything of a table. It is empty if the table has no rules.
    pub fn all_of(&self, table: &TableName) -> Fallback {
        Fallback::of(self.of(&table.schema, &table.name).map(|(_, rule)| rule))
    }

    /// Returns the fallback for everything of all tables.
    pub fn everything(&self) -> Fallback {
        Fallback::of(self.rules.iter())
    }

    /// Returns the columns that the rules of a table name, and whether a template has the column.
    pub(crate) fn columns_of(&self, table: &TableName) -> BTreeMap<&str, bool> {
        let rules = || self.of(&table.schema, &table.name).map(|(_, rule)| rule);
        let watched = rules().flat_map(|rule| rule.watched().into_iter().flatten());
        let in_templates = rules().flat_map(Checked::template_columns);
        watched.map(|column| (column, false)).chain(in_templates.map(|column| (column, true))).collect()
    }

    /// Returns whether each change of a parent invalidates everything of a child too.
    pub(crate) fn covers(&self, parent: &TableName, child: &TableName) -> bool {
        let of_parent = || self.of(&parent.schema, &parent.name).map(|(_, rule)| rule);
        let each = |tag: &Tag| {
            of_parent().any(|rule| {
                rule.all.as_ref() == Some(tag)
                    && rule.tags.is_empty()
                    && rule.params.is_empty()
                    && rule.columns.is_none()
            })
        };
        let all = self.all_of(child);
        all.params.is_empty() && all.tags.iter().all(each)
    }

    /// Marks everything of a table, if it has rules.
    pub fn mark_whole(&self, schema: &str, table: &str, reason: &Reason, effects: &mut Effects) {
        for (_, rule) in self.of(schema, table) {
            effects.mark_whole(&rule.table, reason.clone());
        }
    }

    /// Marks everything of the tables that a statement may have changed. `schema` is the default
    /// database of its connection, and empty if there is none.
    pub fn apply_statement(&self, statement: &Statement, schema: &str, effects: &mut Effects) {
        match statement {
            // Triggers, stored functions and cascades change tables that the text doesn't name.
            Statement::Touches { changes_rows: true, .. } => effects.mark_everything(Reason::StatementFormat),
            Statement::Unclear => effects.mark_everything(Reason::Unclear),
            _ => {
                for Checked { table, .. } in &self.rules {
                    if statement.may_mean(&table.schema, &table.name, schema, self.server.ignore_case) {
                        effects.mark_whole(table, Reason::Statement);
                    }
                }
            }
        }
    }

    /// Returns the rules of a table, each with its position.
    pub(super) fn of(&self, schema: &str, table: &str) -> impl Iterator<Item = (usize, &Checked)> {
        let is_of =
            move |rule: &Checked| self.is_same(&rule.table.schema, schema) && self.is_same(&rule.table.name, table);
        self.rules.iter().enumerate().filter(move |(_, rule)| is_of(rule))
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        is_same(one, other, self.server.ignore_case)
    }
}

impl Fallback {
    fn of<'a>(rules: impl Iterator<Item = &'a Checked>) -> Self {
        let (mut tags, mut params) = (BTreeSet::new(), BTreeSet::new());
        for rule in rules {
            tags.extend(rule.all.clone());
            params.extend(rule.params.iter().map(|(name, _)| Arc::clone(name)));
        }
        Self { tags: tags.into_iter().collect(), params: params.into_iter().collect() }
    }
}
