//! The names of our bookkeeping keys, beside the keys that they belong to.
//!
//! Each begins with the store's prefix, so a user needs rights only for the prefix. A companion of
//! the key `K`, which includes the prefix, is `{prefix}mrc:l:{K}`.
//!
//! In a cluster a script may touch only one slot, so a lease must be in the slot of its key. A key
//! without braces is itself the hash tag of its lease. Braces would end that tag early: then the
//! tag is a number that hashes to the same slot. A prefix with its own hash tag, such as `{app}:`,
//! decides the slot of all its keys.

use std::sync::LazyLock;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem;

use super::hash::{key_slot, sha1};
use crate::store::RESERVED;

/// The hybrid clock that orders invalidations and fills.
const CLOCK: &str = "mrc:clk";
const LEASE: &[u8] = b"mrc:l:{";
const COPY: &[u8] = b"mrc:s:{";
const TAGS: &[u8] = b"mrc:g:{";
const INDEX: &[u8] = b"mrc:t:{";
const FOLLOWER: &[u8] = b"mrc:f:{";
const BUCKET: &[u8] = b"mrc:e:{";
const REGISTRY: &[u8] = b"mrc:w:{";
const SLOTS: usize = 16_384;

/// For each slot, a number whose decimal digits hash to that slot.
static NUMBERS: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let mut tags: Vec<Option<u32>> = vec![None; SLOTS];
    let mut missing = SLOTS;
    for number in 0.. {
        if let Some(tag @ None) = tags.get_mut(slot(number.to_string().as_bytes())) {
            *tag = Some(number);
            missing -= 1;
        }
        if missing == 0 {
            break;
        }
    }
    tags.into_iter().flatten().collect()
});

pub(super) fn clock_key(prefix: &str) -> Bytes {
    [prefix, CLOCK].concat().into()
}

/// Returns the key with the token of the leader that is filling `key`. Both are in one slot.
pub(super) fn lease_key(prefix: &str, key: &[u8]) -> Bytes {
    companion(prefix.as_bytes(), LEASE, key)
}

/// Returns the key of the stale copy, which outlives `key`. Scans for `key` find it too.
pub(super) fn copy_key(prefix: &[u8], key: &[u8]) -> Bytes {
    companion(prefix, COPY, key)
}

pub(super) fn tags_key(prefix: &[u8], key: &[u8]) -> Bytes {
    companion(prefix, TAGS, key)
}

/// Returns the keys of a tag's index, which has the tag's keys, and of its bucket, in one slot.
pub(super) fn tag_keys(prefix: &str, tag: &str) -> [Bytes; 2] {
    // Stores without a prefix have used these names since the first version.
    let hash = sha1(&["0:", tag].concat());
    let number = NUMBERS.get(slot(hash.as_bytes())).copied().unwrap_or_default();
    [[prefix, "mrc:t:{", &hash, "}"].concat().into(), format!("{prefix}mrc:e:{{{number}}}").into()]
}

/// Returns the key of the registry of schemes, in the slot of the clock.
pub(super) fn registry_key(prefix: &str) -> Bytes {
    let number = NUMBERS.get(slot(&clock_key(prefix))).copied().unwrap_or_default();
    format!("{prefix}mrc:w:{{{number}}}").into()
}

/// Returns the keys of a follower's position and lease. Both are in one slot.
pub(super) fn follower_keys(prefix: &str, name: &str) -> [Bytes; 2] {
    let position = format!("{prefix}mrc:f:{{{name}}}");
    let lease = format!("{position}:l");
    [position.into(), lease.into()]
}

/// Returns the key of the copy of a follower's position in a slot. Returns `None` if the prefix has
/// a slot of its own, so that the position itself lies beside all keys of the store.
pub(super) fn position_copy_key(prefix: &str, at: u16, name: &str) -> Option<Bytes> {
    let number = NUMBERS.get(usize::from(at))?;
    let key = format!("{prefix}mrc:f:{{{number}}}:{{{name}}}");
    (slot(key.as_bytes()) == usize::from(at)).then(|| key.into())
}

/// Returns the prefix of the store and the key of a copy. Returns `None` if the key isn't a copy.
pub(super) fn owner_of_copy(copy: &Bytes) -> Option<(Bytes, Bytes)> {
    marks(copy).find_map(|at| {
        let key = key_of_companion(copy, at, COPY)?;
        Some((copy.slice(..at), copy.slice_ref(key)))
    })
}

/// Returns the key without prefix of the entry with these tags, or `None` if the key isn't of tags.
pub(super) fn entry_of_tags(prefix: &str, tags: &Bytes) -> Option<Bytes> {
    let key = key_of_companion(tags, prefix.len(), TAGS)?;
    key.strip_prefix(prefix.as_bytes()).map(|key| tags.slice_ref(key))
}

/// Returns the beginning of the keys of leases.
pub(super) fn all_leases(prefix: &str) -> String {
    [prefix, "mrc:l:{"].concat()
}

/// Returns the beginning of the keys of tags.
pub(super) fn all_tags(prefix: &str) -> String {
    [prefix, "mrc:g:{"].concat()
}

/// Returns whether the key in Redis is a bookkeeping key of any store, and therefore no entry.
///
/// Stores see each other's keys if one prefix is the beginning of another.
pub(super) fn is_reserved(prefix: &str, key: &[u8]) -> bool {
    key.starts_with(RESERVED)
        || key.strip_prefix(prefix.as_bytes()).is_some_and(|own| own.starts_with(RESERVED))
        || marks(key).any(|at| {
            key[at..] == *CLOCK.as_bytes()
                || is_index(&key[at..])
                || is_follower(&key[at..])
                || [BUCKET, REGISTRY].iter().any(|kind| is_numbered(&key[at..], kind))
                || [LEASE, COPY, TAGS].iter().any(|kind| key_of_companion(key, at, kind).is_some())
        })
}

/// Returns whether a prefix has no hash tag or a complete one. Half a hash tag breaks the slots.
pub(super) fn keeps_slots(prefix: &str) -> bool {
    prefix.split_once('{').is_none_or(|(_, rest)| rest.find('}').is_some_and(|end| end > 0))
}

/// Returns where bookkeeping names may begin. It runs on each key, so the search is prepared once.
fn marks(name: &[u8]) -> impl Iterator<Item = usize> {
    static MARK: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(RESERVED));
    MARK.find_iter(name)
}

fn is_index(name: &[u8]) -> bool {
    let hash = name.strip_prefix(INDEX).and_then(|name| name.strip_suffix(b"}"));
    hash.is_some_and(|hash| hash.len() == 40 && hash.iter().all(u8::is_ascii_hexdigit))
}

fn is_numbered(name: &[u8], kind: &[u8]) -> bool {
    let number = name.strip_prefix(kind).and_then(|name| name.strip_suffix(b"}"));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn is_follower(name: &[u8]) -> bool {
    let name = name.strip_prefix(FOLLOWER).map(|name| name.strip_suffix(b":l").unwrap_or(name));
    name.is_some_and(|name| name.ends_with(b"}"))
}

/// Returns the key that this is a companion of, if the prefix ends `at`.
fn key_of_companion<'a>(name: &'a [u8], at: usize, kind: &[u8]) -> Option<&'a [u8]> {
    let (prefix, own) = name.split_at_checked(at)?;
    let inside = own.strip_prefix(kind)?;
    let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let numbered = inside.get(digits..).and_then(|rest| rest.strip_prefix(b"}:"));
    let mut keys = [inside.strip_suffix(b"}"), numbered].into_iter().flatten();
    keys.find(|key| key.starts_with(prefix) && companion(prefix, kind, key) == name)
}

/// Returns the name of a companion in the slot of its key.
fn companion(prefix: &[u8], kind: &[u8], key: &[u8]) -> Bytes {
    let mut name = BytesMut::with_capacity(prefix.len() + kind.len() + key.len() + 8);
    name.put_slice(prefix);
    name.put_slice(kind);
    // An empty tag is no tag: the server would hash the whole name.
    if key.is_empty() || key.iter().any(|byte| matches!(byte, b'{' | b'}')) {
        let tag = NUMBERS.get(slot(key)).copied().unwrap_or_default();
        name.put_slice(tag.to_string().as_bytes());
        name.put_slice(b"}:");
        name.put_slice(key);
    } else {
        name.put_slice(key);
        name.put_u8(b'}');
    }
    name.freeze()
}

fn slot(key: &[u8]) -> usize {
    usize::from(key_slot(key))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn index_key(prefix: &str, tag: &str) -> Bytes {
        let [index, _] = tag_keys(prefix, tag);
        index
    }

    const PREFIXES: [&str; 8] = ["", "app:", "app", "{app}:", "}", "a}b:", "{a}{", "{{a}"];
    const SQL: &str = "Shop/6/sql:abc";
    const COPIED: &str = "mrc:s:{a}";
    const KEYS: [&str; 16] = [
        "", "a", SQL, "{", "}", "{}", "}{", "{a}", "a{b}c", "a}b{c", "{}a", "{{a}}", "7}:{x}", "{7}:", "{ü}x{y}",
        COPIED,
    ];

    /// Returns every prefix with every key.
    fn all() -> impl Iterator<Item = (&'static str, Bytes)> {
        PREFIXES.into_iter().flat_map(|prefix| KEYS.map(|key| (prefix, [prefix, key].concat().into())))
    }

    #[test]
    fn a_plain_key_is_its_own_tag() {
        let check = |prefix, key: &str, lease: &str| assert_eq!(lease_key(prefix, key.as_bytes()), lease);
        check("", "a", "mrc:l:{a}");
        check("", "Shop/6/sql:abc", "mrc:l:{Shop/6/sql:abc}");
        check("app:", "app:a", "app:mrc:l:{app:a}");
    }

    #[test]
    fn companions_are_in_the_slot_of_their_key() {
        for (prefix, key) in all().filter(|(prefix, _)| keeps_slots(prefix)) {
            for name in [lease_key(prefix, &key), copy_key(prefix.as_bytes(), &key), tags_key(prefix.as_bytes(), &key)]
            {
                assert_eq!(slot(&name), slot(&key), "{key:?} and {name:?}");
                assert!(name.starts_with(prefix.as_bytes()));
            }
        }
    }

    #[test]
    fn half_a_hash_tag_is_told() {
        assert!(PREFIXES.iter().all(|prefix| keeps_slots(prefix)));
        assert!(!["{", "a{b", "{}", "}{", "{}{a}"].iter().any(|prefix| keeps_slots(prefix)));
    }

    #[test]
    fn every_slot_has_a_number_of_its_own() {
        assert_eq!(NUMBERS.len(), SLOTS);
        for (expected, tag) in NUMBERS.iter().enumerate() {
            assert_eq!(slot(tag.to_string().as_bytes()), expected);
        }
    }

    #[test]
    fn two_keys_never_share_a_lease() {
        // The first has the lease `mrc:l:{n}:{x}`, which no plain key can have.
        let leases: HashSet<_> = KEYS.iter().map(|key| lease_key("", key.as_bytes())).collect();
        assert_eq!(leases.len(), KEYS.len());
    }

    #[test]
    fn a_copy_tells_its_key_and_its_prefix() {
        for (prefix, key) in all() {
            let copy = copy_key(prefix.as_bytes(), &key);
            assert_eq!(owner_of_copy(&copy), Some((prefix.into(), key)), "{copy:?}");
        }
        for other in
            ["", "a", "mrc:s:", "mrc:s:{", "mrc:s:{a", "mrc:s:{a}b", "mrc:s:{7}:a", "mrc:l:{a}", "app:mrc:s:{a}"]
        {
            assert_eq!(owner_of_copy(&other.into()), None, "{other}");
        }
    }

    #[test]
    fn two_stores_never_share_an_index_or_a_clock() {
        let stores = ["", "a", "a:", "a:b", "1:"];
        let names =
            stores.iter().flat_map(|prefix| [index_key(prefix, "a"), index_key(prefix, ":b"), clock_key(prefix)]);
        assert_eq!(names.collect::<HashSet<_>>().len(), 3 * stores.len());
        assert_eq!(index_key("", "user:42"), "mrc:t:{c024ba8d92ebedba7c0411162a9edee47ae3f032}");
        assert_eq!(index_key("app:", "user:42"), "app:mrc:t:{c024ba8d92ebedba7c0411162a9edee47ae3f032}");
    }

    #[test]
    fn a_bucket_lies_in_the_slot_of_its_index() {
        for prefix in ["", "app:", "{app}:"] {
            for tag in ["a", "user:42", ""] {
                let [index, bucket] = tag_keys(prefix, tag);
                assert_eq!(slot(&bucket), slot(&index), "{prefix} {tag}");
            }
        }
    }

    #[test]
    fn bookkeeping_is_told_from_entries_by_every_store() {
        for (prefix, key) in all() {
            let names = [
                lease_key(prefix, &key),
                copy_key(prefix.as_bytes(), &key),
                tags_key(prefix.as_bytes(), &key),
                clock_key(prefix),
                index_key(prefix, "a"),
                tag_keys(prefix, "a")[1].clone(),
                follower_keys(prefix, "a")[0].clone(),
                follower_keys(prefix, "a")[1].clone(),
                position_copy_key(prefix, slot(prefix.as_bytes()) as u16, "a").unwrap_or_else(|| clock_key(prefix)),
                [prefix, "mrc:a"].concat().into(),
            ];
            for name in &names {
                assert!(is_reserved(prefix, name), "{name:?}");
            }
            assert!(names[..8].iter().all(|name| is_reserved("", name) && is_reserved("a", name)), "{names:?}");
        }
        assert!(is_reserved("m", b"mrc:clk") && is_reserved("", b"x:mrc:clk"));
        for entry in ["mrc", "a", "", "x:mrc:a", "x:mrc:clk:", "x:mrc:l:{y}", "x:mrc:t:{a}", "x:mrc:s:{7}:x:a"] {
            assert!(!is_reserved("", entry.as_bytes()), "{entry}");
        }
    }
}
