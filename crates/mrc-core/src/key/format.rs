//! The two spellings of values in a key.

use super::{python, typescript};
use crate::value::Value;

/// The spelling of values in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyFormat {
    /// Default. As the npm package `@actvalue/mysql-redis-cache`: `null`, `true`, `1e-7`, `1,2,3`.
    #[default]
    TypeScript,
    /// As in the PyPI package `actvalue.mysql-redis-cache`: `None`, `True`, `1e-07`, `[1, 2, 3]`.
    Python,
}

impl KeyFormat {
    /// Appends a value as a key spells it.
    pub(crate) fn write(self, value: &Value, out: &mut Vec<u8>) {
        match self {
            Self::TypeScript => typescript::write(value, out),
            Self::Python => python::write(value, out),
        }
    }
}

impl std::str::FromStr for KeyFormat {
    type Err = UnknownKeyFormat;

    /// Reads `typescript` or `python`.
    fn from_str(name: &str) -> Result<Self, UnknownKeyFormat> {
        match name {
            "typescript" => Ok(Self::TypeScript),
            "python" => Ok(Self::Python),
            _ => Err(UnknownKeyFormat),
        }
    }
}

/// The name belongs to no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key format is typescript or python")]
pub struct UnknownKeyFormat;
