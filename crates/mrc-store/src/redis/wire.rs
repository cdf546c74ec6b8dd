//! Values, tags and TTLs as stored in Redis, and the answers of the scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::json;

use super::client::Value;
use super::failure::unexpected;
use crate::error::StoreError;
use crate::store::{Claim, ClaimMode};
use crate::tags::{Found, Moment, Tags};

/// The longest TTL sent to Redis, 285,000 years: it refuses sums of more than 63 bits.
pub(super) const LONGEST_MS: u128 = 1 << 53;

/// Returns the most remaining ms of a value to be refreshed. 0 means no refresh.
pub(super) fn most_left(mode: ClaimMode) -> Value {
    Value::Integer(match mode {
        ClaimMode::Fill => 0,
        ClaimMode::Renew { left } => millis(left),
        ClaimMode::Refresh => i64::MAX,
    })
}

pub(super) fn claimed(answer: Value) -> Result<Claim, StoreError> {
    let mut answer = answer.into_array().into_iter();
    match (answer.next(), answer.next()) {
        (Some(Value::Integer(1)), _) => Ok(Claim::Granted),
        (Some(Value::Integer(0)), Some(left)) => Ok(Claim::Busy { lease_left: left.as_i64().and_then(remaining) }),
        (Some(Value::Integer(2)), Some(value)) => {
            let value = value.into_bytes().and_then(readable);
            value.map(Claim::Hit).ok_or_else(|| unexpected("a claim was answered with a value that holds nothing"))
        }
        _ => Err(unexpected("the answer to a claim can't be read")),
    }
}

pub(super) fn claimed_at(answer: Value) -> Result<(Claim, Moment), StoreError> {
    let mut answer = answer.into_array().into_iter();
    let (claim, now) = (answer.next().unwrap_or(Value::Null), moment(answer.next())?);
    Ok((claimed(claim)?, now))
}

pub(super) fn moment(answer: Option<Value>) -> Result<Moment, StoreError> {
    let micros = answer.and_then(|answer| answer.as_u64());
    micros.map(Moment::from_micros).ok_or_else(|| unexpected("the clock's time can't be read"))
}

/// Returns a value without its marks. Returns `None` for a claim, or for marks only.
pub(super) fn readable(mut value: Bytes) -> Option<Bytes> {
    let bare = without_refresh(&value);
    value.truncate(bare.strip_suffix(b"\n").unwrap_or(bare).len());
    value.iter().any(|byte| !matches!(byte, b' ' | b'\n')).then_some(value)
}

impl Found {
    /// Returns a stored value with its tags. Returns `None` for a claim.
    pub(super) fn read(value: Bytes, tags: &[u8]) -> Option<Self> {
        let tags = if has_tags(&value) { from_json(tags) } else { Some(Tags::default()) };
        readable(value).map(|value| Self { value, tags })
    }
}

/// Returns whether the value has the mark of an entry with tags.
fn has_tags(value: &[u8]) -> bool {
    without_refresh(value).ends_with(b"\n")
}

fn without_refresh(value: &[u8]) -> &[u8] {
    value.strip_suffix(b" ").unwrap_or(value)
}

/// Returns the value with the mark of tags.
pub(super) fn marked(value: &[u8]) -> Bytes {
    [value, b"\n"].concat().into()
}

/// Returns ms, rounded up and at least 1, because Redis refuses a TTL of 0 ms.
pub(super) fn millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000).clamp(1, LONGEST_MS);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

pub(super) fn micros(moment: Moment) -> Value {
    Value::Integer(moment.as_micros().try_into().unwrap_or(i64::MAX))
}

/// Reads the answer about a value's remaining TTL.
pub(super) fn life_left(answer: &Value) -> Result<Option<Duration>, StoreError> {
    match answer.as_i64() {
        Some(-1) => Ok(Some(Duration::MAX)),
        Some(left) => Ok(remaining(left)),
        None => Err(unexpected("the answer to PTTL can't be read")),
    }
}

/// Reads an answer of PTTL. A negative answer isn't a time.
fn remaining(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// Writes `{"tag":moment,…}`.
pub(super) fn to_json(tags: &Tags) -> Vec<u8> {
    let mut text = vec![b'{'];
    for (tag, since) in tags.iter() {
        if text.len() > 1 {
            text.push(b',');
        }
        json::string(tag.as_str(), &mut text);
        text.push(b':');
        json::number::unsigned(since.as_micros(), &mut text);
    }
    text.push(b'}');
    text
}

/// Returns `None` if the text wasn't written by [`to_json`].
fn from_json(text: &[u8]) -> Option<Tags> {
    let tags: BTreeMap<String, u64> = serde_json::from_slice(text).ok()?;
    Some(tags.into_iter().map(|(tag, since)| (tag.into(), Moment::from_micros(since))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_rounded_up() {
        let check = |duration, expect| assert_eq!(millis(duration), expect);
        check(Duration::ZERO, 1);
        check(Duration::from_nanos(1), 1);
        check(Duration::from_millis(7), 7);
        check(Duration::from_micros(7_001), 8);
        check(Duration::MAX, 1 << 53);
    }

    #[test]
    fn a_line_feed_marks_tags_and_a_space_a_refresh() {
        let check = |stored: &'static str, expect: Option<&'static str>, tags: bool| {
            assert_eq!(readable(Bytes::from(stored)), expect.map(Bytes::from), "{stored:?}");
            assert_eq!(has_tags(stored.as_bytes()), tags, "{stored:?}");
        };
        check("", None, false);
        check(" ", None, false);
        check(" \n", None, true);
        check("  \n\n ", None, true);
        check("[1]", Some("[1]"), false);
        check("[1] ", Some("[1]"), false);
        check("[1]\n", Some("[1]"), true);
        check("[1]\n ", Some("[1]"), true);
    }

    #[test]
    fn tags_are_json() {
        let check = |tags: &[(&str, u64)], expect: &str| {
            let tags: Tags = tags.iter().map(|(tag, since)| ((*tag).into(), Moment::from_micros(*since))).collect();
            assert_eq!(String::from_utf8(to_json(&tags)).unwrap(), expect);
            assert_eq!(from_json(expect.as_bytes()), Some(tags));
        };
        check(&[], "{}");
        check(&[("user:42", 1_763_737_000_123_456), ("a", 0)], r#"{"a":0,"user:42":1763737000123456}"#);
        check(&[("\"\\\n\0ü", 1)], r#"{"\"\\\n\u0000ü":1}"#);
        for other in ["", "[]", "null", r#"{"a":"b"}"#, r#"{"a":-1}"#, r#"{"a":1"#] {
            assert_eq!(from_json(other.as_bytes()), None, "{other}");
        }
    }
}
