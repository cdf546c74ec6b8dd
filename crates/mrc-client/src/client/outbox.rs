//! The outbox: a table into which a transaction inserts the tags of its invalidations.

use mrc_core::{Params, Tag};

use crate::error::{Error, Result};

/// The rows of one statement.
const AT_ONCE: usize = 1_000;

/// A table whose inserted rows are invalidations. Its name was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outbox {
    insert: String,
}

impl Outbox {
    /// Reads `table` or `database.table`.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let parts: Vec<&str> = name.split('.').collect();
        let is_name = |part: &&str| !part.is_empty() && !part.contains(['`', '\0']);
        if !(1..=2).contains(&parts.len()) || !parts.iter().all(is_name) {
            let reason = format!("outbox {name:?} is no table: write `mrc_outbox`, or `shop.mrc_outbox`");
            return Err(Error::Config(reason));
        }
        let quoted: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
        Ok(Self { insert: format!("INSERT INTO {} (tag) VALUES ", quoted.join(".")) })
    }

    /// Returns the statements that insert these tags, with their params.
    pub(crate) fn inserts<'a>(&'a self, tags: &'a [Tag]) -> impl Iterator<Item = (String, Params)> + 'a {
        tags.chunks(AT_ONCE).map(|some| {
            let rows = vec!["(?)"; some.len()].join(", ");
            let tags = some.iter().fold(Params::new(), |params, tag| params.with("Tag", tag.as_str()));
            (self.insert.clone() + &rows, tags)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_quoted_and_checked() {
        let insert = |name: &str| Outbox::new(name).map(|outbox| outbox.insert);
        assert_eq!(insert("shop.mrc_outbox").unwrap(), "INSERT INTO `shop`.`mrc_outbox` (tag) VALUES ");
        for bad in ["", "a.b.c", "a.", "a`b"] {
            assert!(insert(bad).unwrap_err().to_string().contains("is no table"), "{bad}");
        }
    }
}
