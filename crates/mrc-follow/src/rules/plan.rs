//! Plans: the rules of one version of a table, by positions of columns.

use super::row::{Compiled, Piece, RowPlan, RowRule};
use super::rule::Checked;
use super::spelling::Spelling;
use super::template::{Part, Template};
use super::{Effects, Reason, Rules, Server, TableName, TimeZone};
use crate::event::{Change, Column, Table};

/// The rules of one version of a table. Make one for each table id.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Ignored,
    Whole(TableName, Reason),
    Rows(RowPlan),
}

impl Plan {
    /// Returns whether no rule is about the table.
    pub fn is_ignored(&self) -> bool {
        matches!(self.0, Kind::Ignored)
    }

    /// Returns why every change invalidates everything of the table. Returns `None` if rows tell.
    pub fn whole(&self) -> Option<&Reason> {
        if let Kind::Whole(_, reason) = &self.0 { Some(reason) } else { None }
    }

    /// Returns the positions of the columns that an image must have, sorted. An image has the cells
    /// in this order.
    pub fn wanted(&self) -> &[usize] {
        if let Kind::Rows(rows) = &self.0 { &rows.wanted } else { &[] }
    }

    /// Adds the effects of a changed row.
    pub fn apply(&self, change: &Change<'_>, effects: &mut Effects) {
        match &self.0 {
            Kind::Ignored => {}
            Kind::Whole(table, reason) => effects.mark_whole(table, reason.clone()),
            Kind::Rows(rows) => rows.apply(change, effects),
        }
    }
}

impl Rules {
    /// Returns the plan for the rows of this version of a table.
    pub fn plan(&self, table: &Table) -> Plan {
        let rules: Vec<_> = self.of(&table.schema, &table.name).collect();
        let Some((_, first)) = rules.first() else { return Plan(Kind::Ignored) };
        Plan(match rows(&first.table, table, &rules, self.server, self.zone) {
            Ok(rows) => Kind::Rows(rows),
            Err(reason) => Kind::Whole(first.table.clone(), reason),
        })
    }
}

fn rows(
    name: &TableName,
    table: &Table,
    rules: &[(usize, &Checked)],
    server: Server,
    zone: TimeZone,
) -> Result<RowPlan, Reason> {
    let columns =
        rules.iter().flat_map(|(_, rule)| rule.template_columns().chain(rule.watched().into_iter().flatten()));
    let mut wanted = columns.map(|name| Ok(find(table, name)?.0)).collect::<Result<Vec<_>, _>>()?;
    wanted.sort_unstable();
    wanted.dedup();
    let slot = |name: &str| -> Result<usize, Reason> {
        let (position, _) = find(table, name)?;
        wanted.binary_search(&position).map_err(|_| Reason::NoColumn { column: name.to_owned() })
    };
    let compile = |template: &Template| -> Result<Compiled, Reason> {
        let piece = |part: &Part| {
            Ok(match part {
                Part::Text(text) => Piece::Text(text.clone()),
                Part::Column(name) => Piece::Cell(slot(name)?, Spelling::of(name, find(table, name)?.1, server, zone)?),
            })
        };
        Ok(Compiled(template.0.iter().map(piece).collect::<Result<_, _>>()?))
    };
    let compiled = rules.iter().map(|(position, rule)| {
        let mut tags = rule.tags.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        if let (true, true, Some(all)) = (tags.is_empty(), rule.params.is_empty(), &rule.all) {
            tags.push(Compiled(vec![Piece::Text(all.as_str().to_owned())]));
        }
        let params = rule.params.iter().map(|(name, template)| Ok((name.clone(), compile(template)?)));
        let watched = rule.watched().map(|names| names.map(slot).collect::<Result<Vec<_>, _>>()).transpose()?;
        Ok(RowRule {
            position: *position,
            tags,
            params: params.collect::<Result<_, _>>()?,
            watched,
            max_tags: rule.max_tags,
        })
    });
    let rules: Vec<_> = compiled.collect::<Result<_, _>>()?;
    Ok(RowPlan { table: name.clone(), rules, wanted })
}

/// Returns a column and its position. MySQL ignores the case of columns.
fn find<'a>(table: &'a Table, name: &str) -> Result<(usize, &'a Column), Reason> {
    let lower = name.to_lowercase();
    let mut found = None;
    for (position, column) in table.columns.iter().enumerate() {
        let is_it = column.name.as_ref().ok_or(Reason::Metadata)?.to_lowercase() == lower;
        if is_it {
            found = Some((position, column));
        }
    }
    found.ok_or_else(|| Reason::NoColumn { column: name.to_owned() })
}
