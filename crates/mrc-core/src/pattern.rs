//! The entries of an invalidation: keys that can be read as having any, or all, of some params.

use crate::glob::{self, Regex};
use crate::key::KeyFormat;
use crate::param::{Param, Params};
use crate::tag::Tag;
use crate::value::Value;

/// The regex of the hash that ends every key.
const HASH: &str = "[0-9a-f]{40}";
/// The regex of params, each followed by `_`: nothing, or with a name before the first `=`.
const PARAMS: &str = "(?:[^=]+=.*_)?";

/// Selects entries by their params.
///
/// A param is a whole segment of the key: `StoreId=6` is neither `StoreId=66` nor `MyStoreId=6`.
/// Keys don't escape values, so some can be read in several ways. One reading with the param is
/// enough: an invalidation removes too much rather than too little. Both peers' spellings match.
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
#[derive(Debug, Clone)]
pub struct EntryPattern {
    /// The spellings of each param.
    params: Vec<Vec<String>>,
    all: bool,
    substring: bool,
    /// The regexes of whole segments, and of the substring mode. A key must match all of a mode.
    regexes: [Vec<Regex>; 2],
}

/// These params can't select entries.
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
    /// A JSON document that nests too deep for any key.
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
    /// Params of more than about 1,000,000 bytes.
    #[error("the params have {bytes} bytes, which is too long")]
    TooLong {
        /// The length of all spellings of the params, in bytes.
        bytes: usize,
    },
}

impl EntryPattern {
    /// Selects the entries that have at least one of the params.
    ///
    /// # Errors
    /// [`PatternError`] when there is no param, or one without a usable name.
    pub fn any(params: &Params) -> Result<Self, PatternError> {
        Self::new(params, false)
    }

    /// Selects the entries that have every one of the params.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub fn all(params: &Params) -> Result<Self, PatternError> {
        Self::new(params, true)
    }

    /// Selects the entries that have a param of one of these names, whatever its value.
    ///
    /// # Errors
    /// [`PatternError`] when there is no name, or one that no key can have.
    pub fn named<T: AsRef<str>>(names: &[T]) -> Result<Self, PatternError> {
        let beginnings = names.iter().enumerate().map(|(at, name)| match name.as_ref() {
            "" => Err(PatternError::Unnamed { position: at + 1 }),
            name if name.contains('=') => Err(PatternError::NameWithEquals { name: name.to_owned() }),
            name => Ok(format!("{name}=")),
        });
        let beginnings: Vec<String> = beginnings.collect::<Result<_, _>>()?;
        if beginnings.is_empty() {
            return Err(PatternError::Empty);
        }
        let too_long = |_| PatternError::TooLong { bytes: beginnings.iter().map(String::len).sum() };
        let regex = glob::regex(&format!("{PARAMS}(?:{}).*_{HASH}", alternatives(&beginnings))).map_err(too_long)?;
        let regexes = [vec![regex.clone()], vec![regex]];
        Ok(Self { params: Vec::new(), all: false, substring: false, regexes })
    }

    /// Sets whether `NAME=VALUE` matches anywhere in the key, as in both peers: `StoreId=6` then
    /// matches `StoreId=66` and `MyStoreId=6`. Default: false, it matches whole segments.
    #[must_use]
    pub fn substring(self, substring: bool) -> Self {
        Self { substring, ..self }
    }

    /// Returns a text that all selected keys contain. Returns `None` if there is no single one.
    pub fn needle(&self) -> Option<String> {
        if !self.all && self.params.len() > 1 {
            return None;
        }
        let in_every_key = self.params.iter().filter_map(|spellings| match spellings.as_slice() {
            [single] => Some(single),
            _ => None,
        });
        let longest = in_every_key.max_by_key(|text| text.len())?;
        // A `_` follows a whole segment, so the server already excludes `StoreId=66`.
        Some(if self.substring { longest.clone() } else { format!("{longest}_") })
    }

    /// Returns whether a key is a cached entry's, and selected.
    pub fn matches(&self, key: &[u8]) -> bool {
        let [whole, substring] = &self.regexes;
        (if self.substring { substring } else { whole }).iter().all(|regex| regex.is_match(key))
    }

    /// Returns both spellings of each param as tags, for entries that are tagged by their params.
    pub fn tags(&self) -> Vec<Vec<Tag>> {
        let spellings = |spellings: &Vec<String>| spellings.iter().map(|text| Tag::of_segment(text)).collect();
        self.params.iter().map(spellings).collect()
    }

    fn new(params: &Params, all: bool) -> Result<Self, PatternError> {
        if params.is_empty() {
            return Err(PatternError::Empty);
        }
        let params = params.iter().enumerate().map(|(at, param)| spellings(at + 1, param));
        let params: Vec<Vec<String>> = params.collect::<Result<_, _>>()?;
        // One alternative of a regex is enough, but a key must match every regex.
        let required = if all { params.clone() } else { vec![params.concat()] };
        let compile = |regex: fn(&[String]) -> String| -> Result<Vec<Regex>, PatternError> {
            let too_long = |_| PatternError::TooLong { bytes: params.iter().flatten().map(String::len).sum() };
            required.iter().map(|spellings| glob::regex(&regex(spellings)).map_err(too_long)).collect()
        };
        let regexes = [compile(whole_segment)?, compile(anywhere)?];
        Ok(Self { params, all, substring: false, regexes })
    }
}

impl PartialEq for EntryPattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.params, self.all, self.substring) == (&other.params, other.all, other.substring)
    }
}

impl Eq for EntryPattern {}

fn spellings(position: usize, param: &Param) -> Result<Vec<String>, PatternError> {
    let name = param.name.as_deref().filter(|name| !name.is_empty()).ok_or(PatternError::Unnamed { position })?;
    if name.contains('=') {
        return Err(PatternError::NameWithEquals { name: name.to_owned() });
    }
    if param.value.is_too_deep() {
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

/// Returns the regex of the keys with one of these spellings as a whole segment. The texts before
/// and after the segment must read as params too.
fn whole_segment(spellings: &[String]) -> String {
    format!("{PARAMS}(?:{})_{PARAMS}{HASH}", alternatives(spellings))
}

/// Returns the regex of keys that look like entries and have one of these spellings anywhere.
fn anywhere(spellings: &[String]) -> String {
    // The params end with a `_`, which may be the last byte of a spelling.
    let (last, any): (Vec<_>, Vec<_>) =
        (spellings.iter().filter(|text| text.ends_with('_')).collect(), spellings.iter().collect());
    let mut params = format!("(?:{}).*_", alternatives(&any));
    if !last.is_empty() {
        params = format!("(?:{params}|(?:{}))", alternatives(&last));
    }
    // A spelling has a name before its `=`, so any key has one, unless it begins with `=`.
    format!("(?:[^=].*)?{params}{HASH}")
}

fn alternatives<T: AsRef<str>>(spellings: &[T]) -> String {
    spellings.iter().map(|text| regex::escape(text.as_ref())).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::params;

    const HASH: &str = "d6f3536ac027efd4916a172a39156f97c989bfd3";

    /// Checks the keys of these params, a blank between two keys.
    fn check(pattern: &EntryPattern, keys: &str, expect: bool) {
        for params in keys.split(' ') {
            assert_eq!(pattern.matches(format!("{params}{HASH}").as_bytes()), expect, "{pattern:?} on {params:?}");
        }
    }

    #[test]
    fn a_param_is_a_whole_segment() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap();
        check(&pattern, "StoreId=6_ A=1_StoreId=6_ StoreId=6_B=2_ A=x_y_StoreId=6_B=_ A=1_My_StoreId=6_", true);
        check(&pattern, "", false);
        check(&pattern, "StoreId=66_ MyStoreId=6_ My_StoreId=6_ StoreId=6_5_", false);
        check(&pattern, "storeid=6_ A=StoreId=6_ StoreId=6.5_", false);
    }

    #[test]
    fn a_name_selects_every_value() {
        let pattern = EntryPattern::named(&["StoreId", "Id"]).unwrap();
        check(&pattern, "StoreId=6_ StoreId=_ A=1_Id=x_y_ Id=1_StoreId=2_", true);
        check(&pattern, "", false);
        check(&pattern, "MyStoreId=6_ storeid=6_ A=Id=6_ A=1_MyId=6", false);
        assert_eq!((pattern.needle(), pattern.tags()), (None, Vec::new()));
        assert_eq!(EntryPattern::named(&[""; 1]), Err(PatternError::Unnamed { position: 1 }));
        assert_eq!(EntryPattern::named::<&str>(&[]), Err(PatternError::Empty));
    }

    #[test]
    fn only_keys_that_look_like_entries() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap().substring(true);
        let (marker, upper) = (format!("mrc:l:{{StoreId=6_{HASH}}}"), format!("StoreId=6_{}", HASH.to_uppercase()));
        for key in ["StoreId=6", "session:StoreId=6_", &marker, &upper] {
            assert!(!pattern.matches(key.as_bytes()), "{key}");
        }
        assert!(!pattern.matches(b"\xff\xfe"));
    }

    #[test]
    fn the_substring_mode_does_as_the_peers_do() {
        let pattern = EntryPattern::any(&params! { "StoreId" => 6 }).unwrap().substring(true);
        check(&pattern, "StoreId=66_ MyStoreId=6_ StoreId=6_", true);
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
        check(&pattern, "Active=true_ Active=True_", true);
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
    fn requests_for_everything_or_nothing_are_refused() {
        assert_eq!(EntryPattern::any(&params! {}), Err(PatternError::Empty));
        assert_eq!(EntryPattern::all(&params! {}), Err(PatternError::Empty));
        assert_eq!(EntryPattern::any(&params! { "" => 1 }), Err(PatternError::Unnamed { position: 1 }));
        let error = PatternError::NameWithEquals { name: "a=b".into() };
        assert_eq!(EntryPattern::any(&params! { "a=b" => 1 }), Err(error));
    }

    /// The definition, without regexes.
    fn naive(spellings: &[String], substring: bool, key: &[u8]) -> bool {
        let are_params = |text: &[u8]| {
            let name = text.iter().position(|&byte| byte == b'=');
            text.is_empty() || (text.ends_with(b"_") && name.is_some_and(|at| at > 0))
        };
        let Some((params, hash)) = key.len().checked_sub(40).map(|at| key.split_at(at)) else { return false };
        let is_hash = hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_segment = |before, after: &[u8]| are_params(before) && after.strip_prefix(b"_").is_some_and(are_params);
        let has = |text: &String| {
            (0..params.len()).any(|at| {
                let after = params[at..].strip_prefix(text.as_bytes());
                after.is_some_and(|after| substring || is_segment(&params[..at], after))
            })
        };
        is_hash && are_params(params) && spellings.iter().any(has)
    }

    proptest! {
        #[test]
        fn matches_as_the_naive_matcher_does(
            values in prop::collection::vec((r"[a_.\né]{1,2}", r"[a_=.\né]{0,2}"), 1..4),
            keys in prop::collection::vec((r"([a_=.\né]{0,2}(=|a=|_|[a_]=[a_]_)){0,4}", "[0-9a]{39,41}"), 20),
            with in any::<bool>(),
        ) {
            let pairs = values.iter().fold(Params::new(), |all, (name, value)| all.with(name.clone(), value.as_str()));
            let (any, all) = (EntryPattern::any(&pairs).unwrap(), EntryPattern::all(&pairs).unwrap());
            let has: String = values.iter().filter(|_| with).map(|(name, value)| format!("{name}={value}_")).collect();
            for key in keys.iter().flat_map(|(text, hash)| [[text, &*has, hash].concat(), [&*has, text, hash].concat()]) {
                for key in [key.clone().into_bytes(), [b"\xff", key.as_bytes()].concat()] {
                    for substring in [false, true] {
                        let (any, all) = (any.clone().substring(substring), all.clone().substring(substring));
                        let has = |param: &Vec<String>| naive(param, substring, &key);
                        prop_assert_eq!(any.matches(&key), any.params.iter().any(has), "any {:?}", key);
                        prop_assert_eq!(all.matches(&key), all.params.iter().all(has), "all {:?}", key);
                    }
                }
            }
        }
    }

    #[test]
    fn many_params_are_one_regex() {
        let params = (0..5_000).fold(Params::new(), |all, number| all.with(format!("Param{number}"), 1));
        let pattern = EntryPattern::any(&params).unwrap();
        check(&pattern, "A=1_Param4999=1_", true);
        check(&pattern, "A=1_Param5000=1_", false);
        let huge = EntryPattern::any(&params! { "Huge" => "x".repeat(2_000_000) });
        assert!(matches!(huge, Err(PatternError::TooLong { bytes: 2_000_005.. })));
    }
}
