//! Functions whose entries are kept apart.

use mrc::{Cache, cached};
use serde::Serialize;

use crate::{Runs, cache};

mod two {
    use super::*;

    #[cached(cache = cache, key(id), prefix = "shop")]
    pub async fn one(cache: &Cache, id: u8) -> String {
        format!("one {id}")
    }

    #[cached(cache = cache, key(id), prefix = "shop")]
    pub async fn another(cache: &Cache, id: u8) -> String {
        format!("another {id}")
    }
}

#[tokio::test]
async fn functions_of_one_prefix_and_arguments_share_nothing() {
    let cache = cache();
    assert_eq!(two::one(&cache, 1).await, "one 1");
    assert_eq!(two::another(&cache, 1).await, "another 1");
    assert_eq!(two::one_entry(&cache, 1).key().unwrap().as_str(), "test:shop::one(id=1)");
}

#[tokio::test]
async fn functions_of_one_name_share_nothing() {
    async fn here(cache: &Cache) -> u8 {
        #[cached(cache = cache, key(), entry = false)]
        async fn inner(cache: &Cache) -> u8 {
            1
        }
        inner(cache).await
    }
    async fn there(cache: &Cache) -> u8 {
        #[cached(cache = cache, key(), entry = false)]
        async fn inner(cache: &Cache) -> u8 {
            2
        }
        inner(cache).await
    }
    let cache = cache();
    assert_eq!((here(&cache).await, there(&cache).await), (1, 2));
    assert_eq!((Left::number(&cache).await, Right::number(&cache).await), (3, 4), "of types, without `self`");
}

struct Left;
struct Right;

impl Left {
    #[cached(cache = cache, key())]
    async fn number(cache: &Cache) -> u8 {
        3
    }
}

impl Right {
    #[cached(cache = cache, key())]
    async fn number(cache: &Cache) -> u8 {
        4
    }
}

#[cached(cache = cache, key(value))]
async fn generic<T: Serialize, U, const N: usize>(cache: &Cache, runs: &Runs, value: T) -> usize
where
    U: Default,
{
    let _ = (value, U::default());
    runs.run() * 10 + N
}

#[cached(cache = cache, key(id))]
async fn anonymous(cache: &Cache, runs: &impl Fn() -> usize, id: impl Serialize) -> usize {
    let _ = id;
    runs()
}

#[tokio::test]
async fn each_instance_of_a_generic_function_has_entries_of_its_own() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(generic::<u8, u8, 1>(&cache, &runs, 7).await, 11);
        assert_eq!(generic::<u16, u8, 1>(&cache, &runs, 7).await, 21);
        assert_eq!(generic::<u8, String, 1>(&cache, &runs, 7).await, 31);
        assert_eq!(generic::<u8, u8, 2>(&cache, &runs, 7).await, 42);
    }
    assert_eq!(generic_entry::<u8, u8, 2>(&cache, 7).get().await.unwrap(), Some(42));
    for _ in 0..2 {
        assert_eq!(anonymous(&cache, &|| runs.run(), 7_u8).await, 5);
        assert_eq!(anonymous(&cache, &|| runs.run(), 7_u16).await, 6);
    }
    assert_eq!(anonymous_entry(&cache, 7_u16).get().await.unwrap(), Some(6));
}

mod old {
    use super::*;

    #[cached(cache = cache, key(), prefix = "versions", entry = old_entry)]
    pub async fn versioned(cache: &Cache) -> u8 {
        0
    }
}

#[cached(cache = cache, key(), prefix = "versions", version = 2)]
async fn versioned(cache: &Cache) -> u8 {
    2
}

#[tokio::test]
async fn another_version_has_entries_of_its_own() {
    let cache = cache();
    assert_eq!((old::versioned(&cache).await, versioned(&cache).await), (0, 2));
    assert_eq!(versioned_entry(&cache).key().unwrap().as_str(), "test:versions::versioned@2");
    assert_eq!(old::old_entry(&cache).key().unwrap().as_str(), "test:versions::versioned");
}
