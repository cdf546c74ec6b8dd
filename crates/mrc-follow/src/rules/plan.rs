//! Plans: the rules of one version of a table, by positions of columns.

use std::sync::Arc;

use super::effects::Budget;
use super::rule::{Checked, Part, Template};
use super::spelling::Spelling;
use super::{Effects, Reason, Rules, TableName};
use crate::event::{Cell, Change, Column, Image, Table};

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

    /// Returns the positions of the columns that an image must have, sorted as its cells are.
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
        Plan(match self.rows(&first.table, table, &rules) {
            Ok(rows) => Kind::Rows(rows),
            Err(reason) => Kind::Whole(first.table.clone(), reason),
        })
    }

    fn rows(&self, name: &TableName, table: &Table, rules: &[(usize, &Checked)]) -> Result<RowPlan, Reason> {
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
                    Part::Column(name) => {
                        Piece::Cell(slot(name)?, Spelling::of(name, find(table, name)?.1, self.server, self.zone)?)
                    }
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

#[derive(Debug, Clone, PartialEq)]
struct RowPlan {
    table: TableName,
    rules: Vec<RowRule>,
    wanted: Vec<usize>,
}

/// A rule. A slot is a position in an image, which has the wanted columns only.
#[derive(Debug, Clone, PartialEq)]
struct RowRule {
    /// The position among all rules.
    position: usize,
    tags: Vec<Compiled>,
    params: Vec<(Arc<str>, Compiled)>,
    /// The slots of which one must change. `None` if every update counts.
    watched: Option<Vec<usize>>,
    max_tags: usize,
}

/// A template whose columns are slots.
#[derive(Debug, Clone, PartialEq)]
struct Compiled(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Cell(usize, Spelling),
}

impl RowPlan {
    fn apply(&self, change: &Change<'_>, effects: &mut Effects) {
        if effects.is_whole(&self.table) {
            return;
        }
        let mut buffer = std::mem::take(&mut effects.buffer);
        if let Err(reason) = self.add(change, &mut buffer, effects) {
            effects.mark_whole(&self.table, reason);
        }
        effects.buffer = buffer;
    }

    fn add(&self, change: &Change<'_>, buffer: &mut String, effects: &mut Effects) -> Result<(), Reason> {
        let (first, second) = match (&change.before, &change.after) {
            (Some(before), after) => (before, after.as_ref()),
            (None, Some(after)) => (after, None),
            (None, None) => return Err(Reason::Other("a row has no image".into())),
        };
        for rule in &self.rules {
            if let (Some(after), Some(watched)) = (second, &rule.watched)
                && watched.iter().all(|slot| is_same(first, after, *slot))
            {
                continue;
            }
            rule.add(first, None, buffer, effects)?;
            if let Some(after) = second {
                rule.add(after, Some(first), buffer, effects)?;
            }
        }
        Ok(())
    }
}

impl RowRule {
    /// Adds the tags and params of an image. Skips those that were added for the image before.
    fn add(
        &self,
        image: &Image<'_>,
        before: Option<&Image<'_>>,
        buffer: &mut String,
        effects: &mut Effects,
    ) -> Result<(), Reason> {
        let budget = Budget { rule: self.position, most: self.max_tags };
        let is_added = |template: &Compiled| {
            let is_as_before = |before: &Image<'_>, piece: &Piece| match piece {
                Piece::Text(_) => true,
                Piece::Cell(slot, _) => is_same(before, image, *slot),
            };
            before.is_some_and(|before| template.0.iter().all(|piece| is_as_before(before, piece)))
        };
        for template in self.tags.iter().filter(|template| !is_added(template)) {
            buffer.clear();
            template.write(image, buffer)?;
            effects.add_tag(buffer, budget)?;
        }
        for (name, template) in self.params.iter().filter(|(_, template)| !is_added(template)) {
            buffer.clear();
            let written = template.write(image, buffer);
            let others = match template.0.as_slice() {
                [Piece::Cell(slot, spelling)] => spelling.others(cell(image, *slot)),
                _ => Vec::new(),
            };
            match written {
                // Bytes that aren't text are a param nevertheless.
                Err(Reason::Unreadable { .. }) if !others.is_empty() => {}
                written => written.and_then(|()| effects.add_text(name, buffer, budget))?,
            }
            for value in others {
                effects.add_value(name, value, budget)?;
            }
        }
        Ok(())
    }
}

impl Compiled {
    fn write(&self, image: &Image<'_>, out: &mut String) -> Result<(), Reason> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Cell(slot, spelling) => spelling.write(cell(image, *slot), out)?,
            }
        }
        Ok(())
    }
}

fn cell<'i, 'a>(image: &'i Image<'a>, slot: usize) -> &'i Cell<'a> {
    image.get(slot).unwrap_or(&Cell::Absent)
}

/// Returns whether a column certainly has one value in both images.
fn is_same(before: &Image<'_>, after: &Image<'_>, slot: usize) -> bool {
    let (before, after) = (cell(before, slot), cell(after, slot));
    !matches!(before, Cell::Absent | Cell::Opaque) && before == after
}
