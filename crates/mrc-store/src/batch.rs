//! The steps of many entries at once.

use bytes::Bytes;

use crate::protocol::{Life, Terms, Token};

/// One claim of [`CacheStore::claim_many`](crate::CacheStore::claim_many).
#[derive(Debug, Clone, Copy)]
pub struct ToClaim<'a> {
    /// The key.
    pub key: &'a str,
    /// The token, which is new at every attempt.
    pub token: &'a Token,
    /// The terms.
    pub terms: Terms,
}

/// One fill of [`CacheStore::fill_many`](crate::CacheStore::fill_many).
#[derive(Debug, Clone)]
pub struct ToFill<'a> {
    /// The key.
    pub key: &'a str,
    /// The token of the claim.
    pub token: &'a Token,
    /// The value.
    pub value: Bytes,
    /// The life of the value, and its tags.
    pub life: Life,
}
