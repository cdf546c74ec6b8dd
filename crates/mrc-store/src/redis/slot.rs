//! The names of our bookkeeping keys, beside the keys that they belong to.
//!
//! In a cluster a script may touch one slot only, so a lease must land in the slot of its key. Where the key has no braces, the key
//! itself is the hash tag of its lease. Where it has some, that would cut the tag short; the tag is then a number that
//! hashes to the same slot.

use std::sync::LazyLock;

use bytes::{BufMut, Bytes, BytesMut};
use fred::util::redis_keyslot;

/// What the keys of our own bookkeeping begin with: leases now, tags and their clock later.
const BOOKKEEPING: [&[u8]; 3] = [LEASE, b"mrc:t:", b"mrc:clk"];
const LEASE: &[u8] = b"mrc:l:{";
const SLOTS: usize = 16_384;

/// For each slot, a number whose decimal digits hash to it.
static TAGS: LazyLock<Box<[u32]>> = LazyLock::new(|| {
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
    let mut lease = BytesMut::with_capacity(LEASE.len() + key.len() + 8);
    lease.put_slice(LEASE);
    // An empty tag is no tag: the server would hash the whole lease key.
    if key.is_empty() || key.iter().any(|byte| matches!(byte, b'{' | b'}')) {
        let tag = TAGS.get(slot(key)).copied().unwrap_or_default();
        lease.put_slice(tag.to_string().as_bytes());
        lease.put_slice(b"}:");
        lease.put_slice(key);
    } else {
        lease.put_slice(key);
        lease.put_u8(b'}');
    }
    lease.freeze()
}

/// Whether this key is our own bookkeeping, and no entry of the cache.
pub(super) fn is_bookkeeping(key: &[u8]) -> bool {
    BOOKKEEPING.iter().any(|start| key.starts_with(start))
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
        assert_eq!(TAGS.len(), SLOTS);
        for (expected, tag) in TAGS.iter().enumerate() {
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
    fn bookkeeping_is_told_from_entries() {
        assert!(is_bookkeeping(&lease_key(b"a")) && is_bookkeeping(&lease_key(b"{a}")));
        assert!(is_bookkeeping(b"mrc:clk") && is_bookkeeping(b"mrc:t:abc"));
        assert!(!is_bookkeeping(b"mrc:a") && !is_bookkeeping(b"a") && !is_bookkeeping(b""));
    }
}
