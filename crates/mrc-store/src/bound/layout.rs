//! The key names of bounded caches, the same in every store.

use bytes::Bytes;

use super::{Bound, Policy};

/// The end of the key of the part that exists whenever any part of a structure exists.
pub(crate) const VALUES: &str = ":1";
/// The beginnings of an entry's name in the index of a tag: without Python, and shared with Python.
const OURS: &[u8] = b"mrc:b:";
const THEIRS: &[u8] = b"mrc:f:";

impl Bound {
    /// Returns the name of the function of a key: the text before the first parenthesis.
    pub(crate) fn function<'a>(&self, namespace: &str, key: &'a str) -> &'a str {
        if !self.per_function {
            return "";
        }
        let name = key.strip_prefix(namespace).and_then(|name| name.strip_prefix(':')).unwrap_or(key);
        name.split('(').next().unwrap_or(name)
    }

    /// Returns the beginning of a structure's keys. In a cluster the braces keep them in one slot.
    pub(crate) fn base(&self, namespace: &str, function: &str, shard: u16) -> String {
        let function = if self.per_function { format!(":{function}") } else { String::new() };
        let shard = match self.shards.get() {
            1 => String::new(),
            shards => format!(":{shard}/{shards}"),
        };
        format!("{namespace}:{{{namespace}:{}{function}{shard}}}", self.policy)
    }

    /// Returns the common beginning of the structures of all functions.
    pub(crate) fn beginning(&self, namespace: &str) -> String {
        format!("{namespace}:{{{namespace}:{}:", self.policy)
    }

    /// Returns whether a base belongs to a function's structure, with this number of shards.
    pub(crate) fn is_of_a_function(&self, beginning: &str, base: &[u8]) -> bool {
        let name = std::str::from_utf8(base).ok().and_then(|base| base.strip_prefix(beginning)?.strip_suffix('}'));
        let shards = |text: &str| {
            let (shard, shards) = text.split_once('/')?;
            shard.parse::<u16>().and(shards.parse::<u16>()).ok()
        };
        match (name, name.and_then(|name| name.rsplit_once(':'))) {
            (Some(_), Some((_, shard))) => shards(shard).unwrap_or(1) == self.shards.get(),
            (Some(name), None) => self.shards.get() == 1 && shards(name).is_none(),
            (None, _) => false,
        }
    }

    pub(crate) fn shard(&self, key: &str) -> u16 {
        // FNV-1a, because every process of every version must find the same shard.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        u16::try_from((hash ^ (hash >> 32)) % u64::from(self.shards.get())).unwrap_or_default()
    }

    /// Returns the number of entries that a shard may have. The shards' sum is the bound's maximum.
    pub(crate) fn room(&self, shard: u16) -> usize {
        let shards = usize::from(self.shards.get());
        self.max / shards + usize::from(usize::from(shard) < self.max % shards)
    }
}

/// Returns the base of a key without store prefix. Returns `None` if it isn't a structure's key.
pub(crate) fn structure_of(key: &[u8]) -> Option<&[u8]> {
    let (base, part) = key.split_at_checked(key.len().checked_sub(VALUES.len())?)?;
    let key = std::str::from_utf8(base).ok().filter(|_| matches!(part, [b':', b'0'..=b'4']))?;
    let (namespace, rest) = key.strip_suffix('}')?.split_once(":{")?;
    let rest = rest.strip_prefix(namespace)?.strip_prefix(':')?;
    let policy = rest.split(':').next()?;
    Policy::ALL.iter().any(|known| known.name() == policy).then_some(base)
}

/// A bounded entry in the index of a tag. It has all that is needed to find the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Whether the structure is shared with Python.
    pub(crate) is_theirs: bool,
    pub(crate) base: Bytes,
    pub(crate) field: Bytes,
}

impl Member {
    pub(crate) fn name(is_theirs: bool, base: &[u8], field: &[u8]) -> Bytes {
        let kind = if is_theirs { THEIRS } else { OURS };
        [kind, base.len().to_string().as_bytes(), b":", base, field].concat().into()
    }

    /// Returns `None` if the name is the key of an entry without a bound.
    pub(crate) fn of(name: &Bytes) -> Option<Self> {
        let ours = name.strip_prefix(OURS);
        let rest = ours.or_else(|| name.strip_prefix(THEIRS))?;
        let colon = rest.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&rest[..colon]).ok()?.parse().ok()?;
        let (base, field) = rest[colon + 1..].split_at_checked(length)?;
        Some(Self { is_theirs: ours.is_none(), base: name.slice_ref(base), field: name.slice_ref(field) })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    #[test]
    fn shards_have_the_room_of_the_bound_together() {
        for (max, shards) in [(10, 1), (10, 3), (16, 16), (1_000, 7)] {
            let bound = Bound::new(Policy::Lru).max(max).shards(NonZeroU16::new(shards).unwrap());
            let rooms: Vec<usize> = (0..shards).map(|shard| bound.room(shard)).collect();
            assert_eq!(rooms.iter().sum::<usize>(), max);
            assert!(rooms.iter().all(|room| *room > 0));
        }
    }

    #[test]
    fn keys_are_spread_over_the_shards_for_ever_alike() {
        let bound = Bound::new(Policy::Lru).shards(NonZeroU16::new(8).unwrap());
        let mut rooms = [0; 8];
        (0..8_000).for_each(|number| rooms[usize::from(bound.shard(&format!("app:f(x={number})")))] += 1);
        assert!(rooms.iter().all(|count| (800..1_200).contains(count)), "{rooms:?}");
        assert_eq!(["", "a", "b", "app:f(x=1)"].map(|key| bound.shard(key)), [1, 0, 1, 5]);
    }

    #[test]
    fn structures_have_names_of_their_own() {
        let bound = || Bound::new(Policy::LruT);
        assert_eq!(bound().base("app", "", 0), "app:{app:lru_t}");
        assert_eq!(bound().shards(NonZeroU16::new(4).unwrap()).base("app", "", 3), "app:{app:lru_t:3/4}");
        let each = bound().per_function();
        assert_eq!(each.base("app", each.function("app", "app:shop::f(x=1)"), 0), "app:{app:lru_t:shop::f}");
        assert!(each.base("app", "f", 0).starts_with(&each.beginning("app")));
    }

    #[test]
    fn parts_of_structures_are_distinguished_from_entries() {
        let bounds = [Bound::new(Policy::Lru), Bound::new(Policy::FifoT).per_function()];
        for bound in bounds.map(|bound| bound.shards(NonZeroU16::new(2).unwrap())) {
            let base = bound.base("app", bound.function("app", "app:f::{{closure}}(x=1)"), 1);
            for part in 0..5 {
                assert_eq!(structure_of(format!("{base}:{part}").as_bytes()), Some(base.as_bytes()));
            }
        }
        let others = ":1 app:{app:lru}:5 app:{app:lru} app:{other:lru}:1 app:{app:new}:1 app:{app:lru:1 app:f(x={})";
        for key in others.split(' ').chain([""]) {
            assert_eq!(structure_of(key.as_bytes()), None, "{key}");
        }
    }

    #[test]
    fn structures_of_functions_are_distinguished_from_shards() {
        let shards = |count| Bound::new(Policy::Lru).shards(NonZeroU16::new(count).unwrap());
        let bounds = [1, 2, 4].map(|count| shards(count).per_function());
        for (at, bound) in bounds.iter().enumerate() {
            let beginning = bound.beginning("app");
            for (other, that) in bounds.iter().enumerate() {
                for function in ["f", "shop::f", ""] {
                    let base = that.base("app", function, 0);
                    assert_eq!(bound.is_of_a_function(&beginning, base.as_bytes()), at == other, "{base}");
                }
            }
            assert!(!bound.is_of_a_function(&beginning, shards(2).base("app", "", 0).as_bytes()));
        }
    }

    #[test]
    fn only_members_of_structures_are_read_as_such() {
        for (base, field) in [("app:{app:lru}", "app:f(x=1)"), ("", ""), ("7:a", ":"), ("ü{", "}")] {
            for is_theirs in [false, true] {
                let member = Member { is_theirs, base: base.into(), field: field.into() };
                assert_eq!(Member::of(&Member::name(is_theirs, base.as_bytes(), field.as_bytes())), Some(member));
            }
        }
        for name in ["app:f(x=1)", "", "mrc:b:", "mrc:b:7:short", "mrc:b:x:y", "mrc:b"] {
            assert_eq!(Member::of(&Bytes::from(name)), None, "{name}");
        }
    }
}
