//! The names of our bookkeeping keys, beside the keys that they belong to.
//!
//! In a cluster a script may touch one slot only, so a lease must land in the slot of its key. Where the key has no braces, the key
//! itself is the hash tag of its lease. Where it has some, that would cut the tag short; the tag is then a number that
//! hashes to the same slot.

use std::sync::LazyLock;

use bytes::{BufMut, Bytes, BytesMut};
use fred::util::{redis_keyslot, sha1_hash};

use crate::store::RESERVED;

/// The hybrid clock by which invalidations and fills are ordered.
pub(super) const CLOCK: &[u8] = b"mrc:clk";
const LEASE: &[u8] = b"mrc:l:{";
const COPY: &[u8] = b"mrc:s:{";
const TAGS: &[u8] = b"mrc:g:{";
const SLOTS: usize = 16_384;

/// For each slot, a number whose decimal digits hash to it.
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

/// The key that holds the token of whoever is filling `key`. Both are in one slot.
pub(super) fn lease_key(key: &[u8]) -> Bytes {
    companion(LEASE, key)
}

/// The key that holds the copy which outlives the value of `key`. It contains the whole key, so that whoever looks for that finds it too.
pub(super) fn copy_key(key: &[u8]) -> Bytes {
    companion(COPY, key)
}

/// The key that holds the tags of the entry of `key`.
pub(super) fn tags_key(key: &[u8]) -> Bytes {
    companion(TAGS, key)
}

/// The key that holds the index of a tag: which keys of the store with this prefix were registered under it.
pub(super) fn index_key(prefix: &str, tag: &str) -> Bytes {
    // With the length no prefix and tag spell the same as two others.
    let name = format!("{}:{prefix}{tag}", prefix.len());
    format!("mrc:t:{{{}}}", sha1_hash(&name)).into()
}

/// The key whose copy this is. None: it isn't one.
pub(super) fn key_of_copy(copy: &Bytes) -> Option<Bytes> {
    let inside = copy.slice_ref(copy.strip_prefix(COPY)?);
    let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let numbered = || inside.get(digits..)?.starts_with(b"}:").then(|| inside.slice(digits + 2..));
    let plain = || inside.strip_suffix(b"}").map(|key| inside.slice_ref(key));
    [plain(), numbered()].into_iter().flatten().find(|key| copy_key(key) == copy)
}

/// In the slot of its key.
fn companion(start: &[u8], key: &[u8]) -> Bytes {
    let mut name = BytesMut::with_capacity(start.len() + key.len() + 8);
    name.put_slice(start);
    // An empty tag is no tag: the server would hash the whole name key.
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

/// Whether this key lies where our own bookkeeping is: it is no entry of the cache.
pub(super) fn is_reserved(key: &[u8]) -> bool {
    key.starts_with(RESERVED)
}

fn slot(key: &[u8]) -> usize {
    usize::from(redis_keyslot(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, lease: &str) {
        assert_eq!(lease_key(key.as_bytes()), lease);
        assert_eq!(slot(lease.as_bytes()), slot(key.as_bytes()), "{key}");
    }

    #[test]
    fn a_plain_key_is_its_own_tag() {
        check("a", "mrc:l:{a}");
        check("Shop/6/sql:abc", "mrc:l:{Shop/6/sql:abc}");
    }

    #[test]
    fn braces_and_nothing_get_a_number() {
        for key in ["", "{", "}", "{}", "}{", "{a}", "a{b}c", "a}b{c", "{}a", "{{a}}", "a{", "a}", "{\n}", "{ü}x{y}"] {
            let lease = lease_key(key.as_bytes());
            assert_eq!(slot(&lease), slot(key.as_bytes()), "{key:?} and {lease:?}");
        }
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
        // The first has the lease `mrc:l:{n}:{x}`; no plain key can spell that.
        let keys = ["{x}", "x", "{x", "x}", "{}x", "", "{}"];
        let leases: std::collections::HashSet<_> = keys.iter().map(|key| lease_key(key.as_bytes())).collect();
        assert_eq!(leases.len(), keys.len());
    }

    #[test]
    fn a_copy_tells_its_key() {
        for key in
            ["a", "Shop/6/sql:abc", "", "{", "}", "{}", "{a}", "a{b}c", "7}", "7}:x", "7}:{x}", "{7}:", "mrc:s:{a}"]
        {
            let copy = copy_key(key.as_bytes());
            assert_eq!(key_of_copy(&copy).as_deref(), Some(key.as_bytes()), "{copy:?}");
            assert_eq!(slot(&copy), slot(key.as_bytes()), "{key}");
        }
        for other in ["", "a", "mrc:s:", "mrc:s:{", "mrc:s:{a", "mrc:s:{a}b", "mrc:s:{7}:a", "mrc:l:{a}"] {
            assert_eq!(key_of_copy(&Bytes::copy_from_slice(other.as_bytes())), None, "{other}");
        }
    }

    #[test]
    fn two_stores_never_share_an_index() {
        let indexes = [("", "a:b"), ("a", ":b"), ("a:", "b"), ("a:b", ""), ("1:", "b")].map(|(p, t)| index_key(p, t));
        assert_eq!(std::collections::HashSet::from(indexes).len(), 5);
        assert_eq!(index_key("", "user:42"), "mrc:t:{c024ba8d92ebedba7c0411162a9edee47ae3f032}");
    }

    #[test]
    fn bookkeeping_is_told_from_entries() {
        assert!(is_reserved(&lease_key(b"a")) && is_reserved(&lease_key(b"{a}")));
        assert!(is_reserved(&tags_key(b"a")) && is_reserved(&copy_key(b"a")));
        assert!(is_reserved(CLOCK) && is_reserved(&index_key("", "a")) && is_reserved(b"mrc:a"));
        assert!(!is_reserved(b"mrc") && !is_reserved(b"a") && !is_reserved(b""));
    }
}
