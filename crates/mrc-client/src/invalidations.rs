//! The invalidations after a transaction's commit.

use std::fmt;

use mrc_core::Tag;
use mrc_store::{DropError, DropRequest, Select};

/// The invalidations of a transaction. `Debug` and `Display` show params' names, no values or tags.
#[derive(Clone, Default)]
pub struct Invalidations(pub(crate) Vec<Invalidation>);

#[derive(Clone)]
pub(crate) enum Invalidation {
    Drop(DropRequest),
    Select(Select),
}

impl Invalidations {
    /// Returns whether there is nothing to invalidate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the tags. Globs have none.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        let tags = self.0.iter().flat_map(|one| match one {
            Invalidation::Drop(request) => request.tags(),
            Invalidation::Select(Select::Any(tags) | Select::All(tags)) => tags.clone(),
            Invalidation::Select(_) => Vec::new(),
        });
        tags.collect()
    }

    /// Returns the remaining invalidations as a sentence.
    pub(crate) fn left(&self) -> String {
        if self.is_empty() {
            "what it names was invalidated all the same".to_owned()
        } else {
            format!("{self} couldn't be invalidated")
        }
    }

    pub(crate) fn check(&self) -> Result<(), DropError> {
        self.0.iter().try_for_each(|one| match one {
            Invalidation::Drop(request) => Ok(request.check()?),
            Invalidation::Select(select) => Ok(select.check()?),
        })
    }
}

impl fmt::Display for Invalidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (at, one) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " and " })?;
            match one {
                Invalidation::Drop(request) => {
                    write!(f, "the entries with {}", request.names().collect::<Vec<_>>().join(", "))?;
                }
                Invalidation::Select(Select::Any(tags) | Select::All(tags)) => {
                    write!(f, "the entries of {} tags", tags.len())?;
                }
                Invalidation::Select(_) => f.write_str("the entries of a selection")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Invalidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalidations({self})")
    }
}
