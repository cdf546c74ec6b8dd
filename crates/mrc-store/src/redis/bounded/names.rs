//! The names of structures, and of the entries' fields in them.

use bytes::Bytes;

use super::structure::{StructureKeys, hex};
use crate::bound::Bound;
use crate::bound::layout::VALUES;

#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
    namespace: String,
    bound: Bound,
    /// The shared structures, one for each shard. Empty if each function has its own.
    shared: Vec<StructureKeys>,
}

impl Names {
    pub(super) fn new(prefix: &str, namespace: &str, bound: &Bound) -> Self {
        let (prefix, namespace, bound) = (prefix.to_owned(), namespace.to_owned(), bound.clone());
        let mut names = Self { prefix, namespace, bound, shared: Vec::new() };
        if !names.bound.per_function {
            names.shared = (0..names.bound.shards.get()).map(|shard| names.make("", shard)).collect();
        }
        names
    }

    pub(super) fn structure(&self, key: &str) -> StructureKeys {
        let shard = self.bound.shard(key);
        match self.shared.get(usize::from(shard)) {
            Some(structure) => structure.clone(),
            None => self.make(self.bound.function(&self.namespace, key), shard),
        }
    }

    /// Returns all structures. Returns `None` if each function has its own: a scan finds them.
    pub(super) fn all(&self) -> Option<&[StructureKeys]> {
        (!self.bound.per_function).then_some(&self.shared)
    }

    /// Returns the common beginning of the keys of all structures.
    pub(super) fn beginning(&self) -> String {
        #[cfg(feature = "compat")]
        if let Some(theirs) = &self.bound.func_cache {
            let kind = if theirs.cluster { "-cm" } else { "-m" };
            return format!("{}{}:{}{kind}:", theirs.prefix, self.namespace, self.bound.policy);
        }
        [self.prefix.as_str(), &self.bound.beginning(&self.namespace)].concat()
    }

    /// Returns the structure whose values, which every structure has, have this key in Redis.
    pub(super) fn of_part(&self, key: &Bytes) -> Option<StructureKeys> {
        let base = key.strip_suffix(VALUES.as_bytes())?;
        let beginning = self.beginning();
        let is_one = if self.is_theirs() {
            base.starts_with(beginning.as_bytes())
        } else {
            self.bound.is_of_a_function(&beginning, base)
        };
        if !is_one {
            return None;
        }
        // Any shard's room is right here: only steps on one entry, whose shard is known, use it.
        Some(StructureKeys::new(key.slice_ref(base), self.bound.room(0), self.is_theirs()))
    }

    /// Returns the field of an entry. Returns `None` if the key has no field in this layout.
    pub(super) fn field(&self, key: &str) -> Option<Bytes> {
        if !self.is_theirs() {
            return Some(Bytes::copy_from_slice(key.as_bytes()));
        }
        // Python finds no structure of a function without its checksum.
        if self.bound.per_function && !self.bound.function(&self.namespace, key).contains('#') {
            return None;
        }
        let (_, hex) = key.strip_suffix(')')?.rsplit_once('(')?;
        let pairs = hex.as_bytes().chunks_exact(2);
        if hex.is_empty() || !pairs.remainder().is_empty() {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<Vec<u8>>>().map(Bytes::from)
    }

    /// Returns the key of the entry in this field.
    pub(super) fn key(&self, structure: &StructureKeys, field: Bytes) -> Bytes {
        if !self.is_theirs() {
            return field;
        }
        let function = structure.base.strip_prefix(self.beginning().as_bytes()).unwrap_or_default();
        let function = String::from_utf8_lossy(function).replace(['{', '}'], "");
        format!("{}:{function}({})", self.namespace, hex(&field)).into()
    }

    pub(super) fn is_theirs(&self) -> bool {
        #[cfg(feature = "compat")]
        return self.bound.func_cache.is_some();
        #[cfg(not(feature = "compat"))]
        false
    }

    fn make(&self, function: &str, shard: u16) -> StructureKeys {
        let Self { prefix, namespace, bound, .. } = self;
        let room = bound.room(shard);
        #[cfg(feature = "compat")]
        if let Some(theirs) = &bound.func_cache {
            let (before, policy) = (&theirs.prefix, bound.policy);
            let base = match (theirs.cluster, bound.per_function) {
                (false, false) => format!("{before}{namespace}:{policy}"),
                (true, false) => format!("{before}{{{namespace}:{policy}-c}}"),
                (false, true) => format!("{before}{namespace}:{policy}-m:{function}"),
                (true, true) => {
                    let (function, checksum) = function.rsplit_once('#').unwrap_or((function, ""));
                    format!("{before}{namespace}:{policy}-cm:{function}#{{{checksum}}}")
                }
            };
            return StructureKeys::new(base, room, true);
        }
        StructureKeys::new([prefix, bound.base(namespace, function, shard).as_str()].concat(), room, false)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::bound::Policy;
    use crate::redis::hash::key_slot;

    #[test]
    fn a_structure_and_its_leases_are_in_one_slot() {
        let bounds = [
            Bound::new(Policy::LruT),
            Bound::new(Policy::Rr).per_function(),
            Bound::new(Policy::Lfu).shards(NonZeroU16::new(4).unwrap()),
            Bound::new(Policy::Lfu).per_function().shards(NonZeroU16::new(4).unwrap()),
        ];
        for bound in bounds {
            for prefix in ["", "p:", "{x}"] {
                let names = Names::new(prefix, "app", &bound);
                for key in ["app:f(x=1)", "app:f::{{closure}}(x={}}{)", "app:{", "app:a"] {
                    let structure = names.structure(key);
                    let field = names.field(key).unwrap();
                    let slot = key_slot(&structure.parts[0]);
                    assert!(structure.parts.iter().all(|part| key_slot(part) == slot), "{structure:?}");
                    assert_eq!(key_slot(&structure.lease(prefix, &field)), slot, "{structure:?}");
                    let found = StructureKeys::of_member(&structure.member(&field));
                    assert_eq!(found, Some((StructureKeys { room: 0, ..structure.clone() }, field)));
                }
            }
        }
        let names = Names::new("p:", "app", &Bound::new(Policy::LruT));
        assert_eq!(names.structure("app:f").parts[4], "p:app:{app:lru_t}:4");
    }

    #[test]
    fn a_structure_for_each_function_is_found_again() {
        let names = Names::new("p:", "app", &Bound::new(Policy::Lru).per_function());
        let structure = names.structure("app:shop::f(x=1)");
        assert_eq!(structure.parts[1], "p:app:{app:lru:shop::f}:1");
        assert_eq!(names.of_part(&structure.parts[1]), Some(structure.clone()));
        assert_eq!(names.of_part(&structure.parts[0]), None);
        assert_eq!(names.of_part(&"p:app:{app:lru}:1".into()), None, "that of all functions");
        assert_eq!(names.of_part(&"p:app:{app:lru_t:f}:1".into()), None, "another policy's");
    }

    #[cfg(feature = "compat")]
    #[test]
    fn keys_are_those_of_redis_func_cache() {
        use crate::bound::FuncCache;

        let key = "nm:app.users:get_user#c+/h(01ab)";
        let check = |bound: Bound, expect: &str| {
            let names = Names::new("", "nm", &bound);
            let structure = names.structure(key);
            assert_eq!(structure.parts[0], format!("{expect}:0"));
            assert_eq!(structure.parts[1], format!("{expect}:1"));
            let field = names.field(key).unwrap();
            assert_eq!(field, Bytes::from_static(b"\x01\xab"));
            assert!(std::str::from_utf8(&structure.lease("", &field)).unwrap().contains(":01ab"));
            if bound.per_function {
                assert_eq!(names.key(&structure, field), key);
            }
        };
        let bound = || Bound::new(Policy::LruT);
        let each = || bound().per_function();
        check(bound().func_cache(FuncCache::single()), "func-cache:nm:lru_t");
        check(bound().func_cache(FuncCache::cluster()), "func-cache:{nm:lru_t-c}");
        check(each().func_cache(FuncCache::single()), "func-cache:nm:lru_t-m:app.users:get_user#c+/h");
        check(each().func_cache(FuncCache::cluster()), "func-cache:nm:lru_t-cm:app.users:get_user#{c+/h}");
        let refuses = |bound: Bound, key| assert_eq!(Names::new("", "nm", &bound).field(key), None, "{key}");
        for key in ["nm:f", "nm:f()", "nm:f(abc)", "nm:f(xy)", "nm:f(01ab)(x=1)", "nm:f(01ab)@2"] {
            refuses(bound().func_cache(FuncCache::single()), key);
        }
        for layout in [FuncCache::single(), FuncCache::cluster()] {
            refuses(each().func_cache(layout), "nm:app.users:get_user(01ab)");
        }
    }
}
