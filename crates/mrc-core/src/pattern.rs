//! Which entries an invalidation is about: the keys that can be read as having one of some params, or all of them.

use crate::key::{KeyFormat, is_too_deep};
use crate::param::{Param, Params};
use crate::tag::Tag;
use crate::value::Value;

/// The length of the hash that ends every key.
const HASH: usize = 40;

/// Selects entries by their params.
///
/// A param is a whole segment of the key: `StoreId=6` is neither `StoreId=66` nor `MyStoreId=6`. Where a key can be read in several ways,
/// since values aren't escaped in it, one reading that has the param is enough: an invalidation drops too much before it drops too little.
/// Both spellings of a value are looked for, the npm peer's and the PyPI peer's.
///
/// ```
/// use mrc_core::{EntryPattern, params};
///
/// let pattern = EntryPattern::any(&params! { "StoreId" => 6 })?;
/// let hash = "d6f3536ac027efd4916a172a39156f97c989bfd3";
/// assert!(pattern.matches(format!("State=open_StoreId=6_{hash}").as_bytes()));
/// assert!(!pattern.matches(format!("StoreId=66_{hash}").as_bytes()));
/// assert!(!pattern.matches(b"StoreId=6_session"));
/// # Ok::<(), mrc_core::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPattern {
    /// The spellings of each param.
    params: Vec<Vec<String>>,
    all: bool,
    substring: bool,
}

/// No entries can be selected by these params.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// No param at all.
    #[error("no param was given: name at least one, or every cached entry would go")]
    Empty,
    /// A param without a name.
    #[error("param {position} has no name: entries are selected by NAME=VALUE")]
    Unnamed {
        /// The position, from 1.
        position: usize,
    },
    /// A JSON document that nests deeper than any key's.
    #[error("the JSON of {name} nests deeper than {} levels, and no key holds such a document", crate::Nesting::LEVELS)]
    TooDeep {
        /// The name of the param.
        name: String,
    },
    /// A name that no key can have.
    #[error("the name {name:?} has a `=`, which no name in a key has")]
    NameWithEquals {
        /// The name.
        name: String,
    },
}

impl EntryPattern {
    /// The entries that have at least one of the params.
    ///
    /// # Errors
    /// When there is no param, or one without a usable name.
    pub fn any(params: &Params) -> Result<Self, PatternError> {
        Self::new(params, false)
    }

    /// The entries that have every one of the params.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub fn all(params: &Params) -> Result<Self, PatternError> {
        Self::new(params, true)
    }

    /// Takes `NAME=VALUE` anywhere in the key, as both peers do: `StoreId=6` is then in `StoreId=66` and in `MyStoreId=6`.
    /// Default: whole segments.
    #[must_use]
    pub fn substring(self, substring: bool) -> Self {
        Self { substring, ..self }
    }

    /// A text that every selected key contains, for a server that can look for one. None: there is no single one.
    pub fn needle(&self) -> Option<String> {
        if !self.all && self.params.len() > 1 {
            return None;
        }
        let in_every_key = self.params.iter().filter_map(|spellings| match spellings.as_slice() {
            [single] => Some(single),
            _ => None,
        });
        let longest = in_every_key.max_by_key(|text| text.len())?;
        // A whole segment is followed by a `_`: so the server leaves `StoreId=66` out already.
        Some(if self.substring { longest.clone() } else { format!("{longest}_") })
    }

    /// Whether a key is a cached entry, and selected.
    pub fn matches(&self, key: &[u8]) -> bool {
        let Some(params) = params_of_entry(key) else { return false };
        let has = |spellings: &Vec<String>| {
            spellings.iter().any(|spelling| {
                let mut found = occurrences(params, spelling.as_bytes());
                if self.substring {
                    found.next().is_some()
                } else {
                    found.any(|at| is_segment(params, at, spelling.len()))
                }
            })
        };
        if self.all { self.params.iter().all(has) } else { self.params.iter().any(has) }
    }

    /// The tags of the entries that are tagged by their params, and selected: of each param both spellings.
    pub fn tags(&self) -> Vec<Vec<Tag>> {
        let spellings = |spellings: &Vec<String>| spellings.iter().map(|text| Tag::of_segment(text)).collect();
        self.params.iter().map(spellings).collect()
    }

    fn new(params: &Params, all: bool) -> Result<Self, PatternError> {
        if params.is_empty() {
            return Err(PatternError::Empty);
        }
        let params = params.iter().enumerate().map(|(at, param)| spellings(at + 1, param)).collect::<Result<_, _>>()?;
        Ok(Self { params, all, substring: false })
    }
}

fn spellings(position: usize, param: &Param) -> Result<Vec<String>, PatternError> {
    let name = param.name.as_deref().filter(|name| !name.is_empty()).ok_or(PatternError::Unnamed { position })?;
    if name.contains('=') {
        return Err(PatternError::NameWithEquals { name: name.to_owned() });
    }
    if is_too_deep(&param.value) {
        return Err(PatternError::TooDeep { name: name.to_owned() });
    }
    let spell = |format: KeyFormat, value: &Value| {
        let mut out = format!("{name}=").into_bytes();
        format.write(value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let mut spellings = vec![spell(KeyFormat::TypeScript, &param.value), spell(KeyFormat::Python, &param.value)];
    spellings.dedup();
    Ok(spellings)
}

/// The params of a key that looks like a cached entry, each followed by `_`. None: it doesn't.
fn params_of_entry(key: &[u8]) -> Option<&[u8]> {
    let (params, hash) = key.split_at_checked(key.len().checked_sub(HASH)?)?;
    let is_hash = hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hash && are_params(params)).then_some(params)
}

/// Whether a text can be read as params, each followed by `_`: it is empty, or a name stands before its first `=`.
fn are_params(text: &[u8]) -> bool {
    text.is_empty() || (text.ends_with(b"_") && text.iter().position(|&byte| byte == b'=').is_some_and(|at| at > 0))
}

/// Whether what stands before and after can be read as params too.
fn is_segment(params: &[u8], at: usize, len: usize) -> bool {
    let (Some(before), Some(after)) = (params.get(..at), params.get(at + len..)) else { return false };
    are_params(before) && after.strip_prefix(b"_").is_some_and(are_params)
}

fn occurrences<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.windows(part.len().max(1)).enumerate().filter(move |(_, window)| *window == part).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    const HASH: &str = "d6f3536ac027efd4916a172a39156f97c989bfd3";

    fn check(pattern: &EntryPattern, params: &str, expect: bool) {
        assert_eq!(pattern.matches(format!("{params}{HASH}").as_bytes()), expect, "{pattern:?} on {params:?}");
    }

    #[test]
    fn a_param_is_a_whole_segment() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap();
        for yes in ["StoreId=6_", "A=1_StoreId=6_", "StoreId=6_B=2_", "A=x_y_StoreId=6_B=_", "A=1_My_StoreId=6_"] {
            check(&pattern, yes, true);
        }
        for no in [
            "",
            "StoreId=66_",
            "MyStoreId=6_",
            "My_StoreId=6_",
            "StoreId=6_5_",
            "storeid=6_",
            "A=StoreId=6_",
            "StoreId=6.5_",
        ] {
            check(&pattern, no, false);
        }
    }

    #[test]
    fn only_keys_that_look_like_entries() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap().substring(true);
        for key in [
            "StoreId=6",
            "session:StoreId=6_",
            &format!("mrc:l:{{StoreId=6_{HASH}}}"),
            &format!("StoreId=6_{}", HASH.to_uppercase()),
        ] {
            assert!(!pattern.matches(key.as_bytes()), "{key}");
        }
        assert!(!pattern.matches(b"\xff\xfe"));
    }

    #[test]
    fn the_substring_mode_does_as_the_peers_do() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap().substring(true);
        for yes in ["StoreId=66_", "MyStoreId=6_", "StoreId=6_"] {
            check(&pattern, yes, true);
        }
        check(&pattern, "StoreId=7_", false);
    }

    #[test]
    fn any_or_all() {
        let pairs = params! { "A" => 1, "B" => 2 };
        check(&EntryPattern::any(&pairs).unwrap(), "B=2_", true);
        check(&EntryPattern::all(&pairs).unwrap(), "B=2_", false);
        check(&EntryPattern::all(&pairs).unwrap(), "B=2_A=1_", true);
    }

    #[test]
    fn both_spellings_are_looked_for() {
        let pattern = EntryPattern::any(&params! { "Active" => true }).unwrap();
        check(&pattern, "Active=true_", true);
        check(&pattern, "Active=True_", true);
        assert_eq!(pattern.needle(), None);
    }

    #[test]
    fn the_needle_is_in_every_selected_key() {
        let pairs = params! { "A" => 1, "Longer" => "x*y", "Active" => true };
        assert_eq!(EntryPattern::all(&pairs).unwrap().needle().unwrap(), "Longer=x*y_");
        assert_eq!(EntryPattern::any(&pairs).unwrap().needle(), None);
        assert_eq!(EntryPattern::any(&params! { "A" => 1 }).unwrap().needle().unwrap(), "A=1_");
        assert_eq!(EntryPattern::any(&params! { "A" => 1 }).unwrap().substring(true).needle().unwrap(), "A=1");
    }

    #[test]
    fn refuses_what_selects_everything_or_nothing() {
        assert_eq!(EntryPattern::any(&params! {}), Err(PatternError::Empty));
        assert_eq!(EntryPattern::all(&params! {}), Err(PatternError::Empty));
        assert_eq!(EntryPattern::any(&params! { "" => 1 }), Err(PatternError::Unnamed { position: 1 }));
        assert_eq!(
            EntryPattern::any(&params! { "a=b" => 1 }),
            Err(PatternError::NameWithEquals { name: "a=b".into() })
        );
    }
}
