//! Statements in the binlog.

use std::borrow::Cow;

use super::Fault;
use super::compress::decompress;
use super::read::Reader;

/// A statement: `BEGIN`, `COMMIT`, DDL, or a change in statement format.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query<'a> {
    /// The default database, in UTF-8. Empty if there was none.
    pub schema: &'a [u8],
    /// The text, in the charset of the client.
    pub text: Cow<'a, [u8]>,
    /// The error with which the statement ended on the server, or 0.
    pub error: u16,
}

impl<'a> Query<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        Self::behind(body, 0)
    }

    /// Reads a `LOAD DATA` of statement format, which has a header about its file.
    pub(super) fn load(body: &'a [u8]) -> Result<Self, Fault> {
        Self::behind(body, 13)
    }

    /// Reads a statement that MariaDB has compressed.
    pub(super) fn compressed(body: &'a [u8]) -> Result<Self, Fault> {
        let mut query = Self::read(body)?;
        query.text = Cow::Owned(decompress(&query.text)?);
        Ok(query)
    }

    fn behind(body: &'a [u8], header: usize) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        read.take(8)?; // The thread and the duration.
        let schema = usize::from(read.u8()?);
        let error = read.u16()?;
        let variables = usize::from(read.u16()?);
        read.take(header)?;
        read.take(variables)?;
        let schema = read.take(schema)?;
        read.take(1)?;
        Ok(Self { schema, text: Cow::Borrowed(read.rest()), error })
    }
}
