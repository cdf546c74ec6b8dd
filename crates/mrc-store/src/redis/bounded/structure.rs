//! One structure: the keys of its parts, and the steps on the whole.

use bytes::Bytes;

use super::scripts::{DROP, LEN, PURGE};
use crate::bound::layout::Member;
use crate::error::StoreError;
use crate::redis::bookkeeping;
use crate::redis::client::Value;
use crate::redis::failure::unexpected;
use crate::redis::scripts::Script;
use crate::redis::store::RedisStore;

/// The parts: the order of the entries, their values, the ends of entries and of claims, and tags.
const PARTS: usize = 5;

/// The keys of one structure, and the steps on the structure as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::redis) struct StructureKeys {
    pub(super) base: Bytes,
    pub(in crate::redis) parts: [Bytes; PARTS],
    /// The maximal number of entries.
    pub(super) room: usize,
    /// Whether the structure is shared with Python.
    pub(in crate::redis) is_theirs: bool,
}

impl StructureKeys {
    pub(super) fn new(base: impl Into<Bytes>, room: usize, is_theirs: bool) -> Self {
        let base = base.into();
        let part = |number: u8| [&base[..], b":", &[b'0' + number]].concat().into();
        Self { parts: [0, 1, 2, 3, 4].map(part), base, room, is_theirs }
    }

    /// Returns a structure that isn't shared with Python, to inspect or remove it.
    pub(in crate::redis) fn ours(base: Bytes) -> Self {
        Self::new(base, 0, false)
    }

    /// Returns the key of the lease on this field, in a store with this prefix. It is in the
    /// structure's slot.
    ///
    /// It is text, because the PyPI peer reads every key of a server as text.
    pub(in crate::redis) fn lease(&self, prefix: &str, field: &[u8]) -> Bytes {
        let hex = self.is_theirs.then(|| hex(field).into_bytes());
        bookkeeping::lease_key(prefix, &[&self.base[..], b":", hex.as_deref().unwrap_or(field)].concat())
    }

    /// Returns the name of an entry in the index of a tag.
    pub(super) fn member(&self, field: &[u8]) -> Bytes {
        Member::name(self.is_theirs, &self.base, field)
    }

    /// Returns the structure and the field of such a name. Returns `None` if it is the key of an
    /// entry without a bound.
    pub(in crate::redis) fn of_member(member: &Bytes) -> Option<(Self, Bytes)> {
        let Member { is_theirs, base, field } = Member::of(member)?;
        Some((Self::new(base, 0, is_theirs), field))
    }

    /// Returns the maximal number of entries, for a script.
    pub(super) fn room(&self) -> Value {
        Value::Integer(self.room.try_into().unwrap_or(i64::MAX))
    }

    /// Removes the fields that have all of these tags, or may get them. The answer has a number for
    /// each field.
    pub(in crate::redis) async fn drop_fields(
        &self,
        store: &RedisStore,
        fields: impl Iterator<Item = &Bytes> + Clone,
        tags: &[Value],
    ) -> Result<Value, StoreError> {
        let leases = fields.clone().map(|field| self.lease(&store.config.prefix, field));
        let keys: Vec<Bytes> = self.parts.iter().cloned().chain(leases).collect();
        let count = Value::Integer(tags.len().try_into().unwrap_or(i64::MAX));
        let fields: Vec<Value> = fields.cloned().map(Value::Bytes).collect();
        let theirs = Value::Integer(self.is_theirs.into());
        store.run(&DROP, &keys, &[&[count], tags, &fields, &[theirs]].concat()).await
    }

    /// Returns the number of values. Expired entries are removed first.
    pub(in crate::redis) async fn len(&self, store: &RedisStore) -> Result<u64, StoreError> {
        self.count(store, &LEN).await
    }

    /// Removes the structure, and returns the number of its values.
    pub(in crate::redis) async fn purge(&self, store: &RedisStore) -> Result<u64, StoreError> {
        self.count(store, &PURGE).await
    }

    async fn count(&self, store: &RedisStore, script: &'static Script) -> Result<u64, StoreError> {
        let answer = store.run(script, &self.parts, &[Value::Integer(self.is_theirs.into())]).await?;
        answer.as_u64().ok_or_else(|| unexpected("the size of a structure can't be read"))
    }
}

pub(super) fn hex(field: &[u8]) -> String {
    field.iter().map(|byte| format!("{byte:02x}")).collect()
}
