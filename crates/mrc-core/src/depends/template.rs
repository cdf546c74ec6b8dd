//! The dependencies of a text, for any params.

use super::occurrence::{Occurrence, SchemeTag};
use super::refusal::NotFollowable;
use super::text::TableName;
use crate::param::Params;
use crate::tag::Tag;

/// The room for the text of a tag, in bytes. Most are shorter.
const ROOM: usize = 128;

/// The dependencies of a text's answer, for any params. See [`derive`](super::derive()).
#[derive(Debug, Clone)]
pub struct Template {
    occurrences: Result<Vec<Occurrence>, NotFollowable>,
}

impl Template {
    pub(super) fn new(occurrences: Result<Vec<Occurrence>, NotFollowable>) -> Self {
        Self { occurrences }
    }

    /// Returns the dependencies of a text that isn't followable.
    pub fn refused(why: NotFollowable) -> Self {
        Self::new(Err(why))
    }

    /// Returns the reason why the rows of the statement aren't known, if they aren't.
    ///
    /// # Errors
    /// [`NotFollowable`]: the entry ends by its TTL alone.
    pub fn followable(&self) -> Result<(), &NotFollowable> {
        self.occurrences.as_ref().map(|_| ())
    }

    /// Returns the tables that the statement reads, one each time that it names a table.
    pub fn occurrences(&self) -> &[Occurrence] {
        self.occurrences.as_deref().unwrap_or_default()
    }

    /// Adds tables that the statement reads through a view. Every change of them counts.
    ///
    /// Get a view's tables from its definition (`information_schema.VIEWS`): they are the tables of
    /// `derive(definition, Some(schema))`, and those of the views among them. If that isn't
    /// followable, neither is this statement: use [`refuse`](Self::refuse).
    pub fn read_too(&mut self, tables: impl IntoIterator<Item = TableName>) {
        if let Ok(occurrences) = &mut self.occurrences {
            let weak = tables.into_iter().map(|table| Occurrence::new(table, Vec::new(), Vec::new()));
            occurrences.extend(weak);
        }
    }

    /// Makes the statement not followable, because of something that the text doesn't show.
    pub fn refuse(&mut self, why: NotFollowable) {
        self.occurrences = Err(why);
    }

    /// Returns what the entry of a call depends on. Returns nothing if the statement isn't
    /// followable.
    ///
    /// Takes about 0.1 µs a tag.
    pub fn tags(&self, params: &Params) -> Vec<SchemeTag> {
        let occurrences = self.occurrences();
        let (mut tags, mut text) = (Vec::with_capacity(occurrences.len()), String::with_capacity(ROOM));
        for occurrence in occurrences {
            occurrence.tags(params, &mut text, &mut tags);
        }
        tags
    }

    /// Returns the tags that the entry of a call must have: those of [`tags`](Self::tags), each
    /// once.
    pub fn entry_tags(&self, params: &Params) -> Vec<Tag> {
        let three = |SchemeTag { tag, scheme }| [tag, scheme.name.tag.clone(), scheme.table_tag.clone()];
        let mut tags: Vec<Tag> = self.tags(params).into_iter().flat_map(three).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }
}
