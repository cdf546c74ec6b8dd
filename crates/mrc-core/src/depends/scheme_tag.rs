//! The tag of an entry under a scheme.

use std::sync::Arc;

use super::class::Class;
use super::name::finish;
use super::scheme::SchemeName;
use crate::tag::Tag;

/// The dependency of an entry through one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeTag {
    /// The tag of the rows that meet the conditions: `t:shop.orders?state=open&store_id=6`.
    pub tag: Tag,
    /// The scheme, which all calls with constants of the same classes share.
    pub scheme: Arc<TableScheme>,
}

/// A scheme of a table, with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableScheme {
    /// The table, `shop.orders`.
    pub table: String,
    /// The columns with the classes of their constants: `state:text,store_id:int`. Empty if no
    /// condition narrows the rows.
    pub columns: String,
    /// The name of the scheme, whose tag every entry of the scheme has.
    pub name: SchemeName,
    /// The tag of every entry of the table: `t:shop.orders`.
    pub table_tag: Tag,
}

impl SchemeTag {
    /// Returns the same dependency without conditions: every change of the table counts.
    #[must_use]
    pub fn weakest(&self) -> Self {
        let TableScheme { table, name, table_tag, .. } = &*self.scheme;
        let (table, name, table_tag) = (table.clone(), name.weakest(), table_tag.clone());
        let tag = finish(&name.text);
        Self { tag, scheme: Arc::new(TableScheme { table, columns: String::new(), name, table_tag }) }
    }
}

/// A scheme of an occurrence, for the calls that have it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The indexes of the conditions with their classes.
    pub(super) columns: Vec<(usize, Class)>,
    pub(super) shared: Arc<TableScheme>,
}
