//! Branches of distributed transactions.

use super::Fault;
use super::read::Reader;

/// A branch of a distributed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct XaPrepare<'a> {
    /// Whether the branch is committed (`XA COMMIT … ONE PHASE`). If `false`, it is only prepared,
    /// and an `XA COMMIT` or `XA ROLLBACK` statement follows in a transaction of its own.
    pub one_phase: bool,
    /// The format of the name, the third part of `XA COMMIT X'…',X'…',1`.
    pub format: u32,
    /// The name of the transaction, the first part.
    pub transaction: &'a [u8],
    /// The name of the branch, the second part. May be empty.
    pub branch: &'a [u8],
}

impl<'a> XaPrepare<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        let (one_phase, format) = (read.u8()? != 0, read.u32()?);
        let (transaction, branch) = (read.u32()?, read.u32()?);
        let mut name = |length: u32| read.take(usize::try_from(length).map_err(|_| Fault::Short)?);
        Ok(Self { one_phase, format, transaction: name(transaction)?, branch: name(branch)? })
    }
}
