//! The rules of a table, applied to its rows.

use std::sync::Arc;

use super::effects::Budget;
use super::spelling::Spelling;
use super::{Effects, Reason, TableName};
use crate::event::{Cell, Change, Image};

/// The rules of a table whose rows can be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowPlan {
    pub(super) table: TableName,
    pub(super) rules: Vec<RowRule>,
    pub(super) wanted: Vec<usize>,
}

/// A rule. A slot is a position in an image, which has the wanted columns only.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowRule {
    /// The position among all rules.
    pub(super) position: usize,
    pub(super) tags: Vec<Compiled>,
    pub(super) params: Vec<(Arc<str>, Compiled)>,
    /// The slots of which one must change. `None` if every update counts.
    pub(super) watched: Option<Vec<usize>>,
    pub(super) max_tags: usize,
}

/// A template whose columns are slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compiled(pub(super) Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Cell(usize, Spelling),
}

impl RowPlan {
    pub(super) fn apply(&self, change: &Change<'_>, effects: &mut Effects) {
        if effects.is_whole(&self.table) {
            return;
        }
        let mut buffer = effects.take_buffer();
        if let Err(reason) = self.add(change, &mut buffer, effects) {
            effects.mark_whole(&self.table, reason);
        }
        effects.give_buffer(buffer);
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
            before.is_some_and(|before| template.slots().all(|(slot, _)| is_same(before, image, slot)))
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
    fn slots(&self) -> impl Iterator<Item = (usize, &Spelling)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Cell(slot, spelling) => Some((*slot, spelling)),
            Piece::Text(_) => None,
        })
    }

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
