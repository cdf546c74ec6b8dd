//! Tags: names that entries share, so that they can be invalidated together.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::key::{KeyFormat, TextHash};
use crate::value::Value;

/// A name that entries share, such as `user:42`. Invalidating it removes all of them and no others.
///
/// Tags belong to the store: entries of any namespace may have any tag. Cheap to clone.
///
/// ```
/// use mrc_core::Tag;
///
/// let tag = Tag::new(format!("user:{}", 42));
/// assert_eq!(tag.as_str(), "user:42");
/// assert_eq!(Tag::param("StoreId", &6.into(), mrc_core::KeyFormat::TypeScript).as_str(), "StoreId=6");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The longest tag, in bytes: 1,024.
    pub const LONGEST: usize = 1_024;

    /// Returns the tag of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Returns the tag of this param's entries: `NAME=VALUE` as in their keys, hashed if too long.
    pub fn param(name: &str, value: &Value, format: KeyFormat) -> Self {
        let mut text = format!("{name}=").into_bytes();
        format.write(value, &mut text);
        Self::of_segment(&String::from_utf8_lossy(&text))
    }

    /// Returns the tag of a key's segment, hashed if it is too long.
    pub(crate) fn of_segment(segment: &str) -> Self {
        if segment.len() <= Self::LONGEST {
            return Self::new(segment);
        }
        let name = segment.split('=').next().unwrap_or_default();
        let name: String = name.chars().take(Self::LONGEST / 8).collect();
        Self::new(format!("{name}=#{}", TextHash::of(segment)))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks that the tag can be used.
    ///
    /// # Errors
    /// [`TagError`] when the tag is empty, or longer than 1,024 bytes.
    pub fn check(&self) -> Result<(), TagError> {
        match self.0.len() {
            0 => Err(TagError::Empty),
            bytes if bytes > Self::LONGEST => Err(TagError::TooLong { bytes }),
            _ => Ok(()),
        }
    }
}

/// A tag that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// No tag is given to an invalidation.
    #[error("no tag is given, and that would mean every entry: name at least one")]
    Missing,
    /// A tag without a name.
    #[error("a tag is empty: name what the entries have in common, such as user:42")]
    Empty,
    /// A tag longer than [`Tag::LONGEST`].
    #[error("a tag has {bytes} bytes, and {} are allowed: use a hash of what it stands for", Tag::LONGEST)]
    TooLong {
        /// The length, in bytes.
        bytes: usize,
    },
    /// An entry has more tags than a fill can register.
    #[error("an entry has {tags} tags, and {limit} are allowed: tag it with what they have in common")]
    TooMany {
        /// The number of its tags.
        tags: usize,
        /// The most tags that it may have.
        limit: usize,
    },
}

impl From<&str> for Tag {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Tag {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&String> for Tag {
    fn from(name: &String) -> Self {
        Self::new(name.as_str())
    }
}

impl From<&Tag> for Tag {
    fn from(tag: &Tag) -> Self {
        tag.clone()
    }
}

impl Borrow<str> for Tag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
