#![allow(unused_variables)]

use std::collections::HashMap;

use mrc::{Cache, cached};

type Found = Result<HashMap<u64, u8>, mrc::Error>;

#[cached(cache = cache, many, skip(cache))]
async fn no_ids(cache: &Cache, id: u64) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache))]
async fn no_singular(cache: &Cache, people: &[u64]) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, key(lang))]
async fn one_entry(cache: &Cache, ids: &[u64], lang: &str) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache, ids))]
async fn plural(cache: &Cache, ids: &[u64]) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache))]
async fn two_of_a_name(cache: &Cache, ids: &[u64], id: u64) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache), skip_none)]
async fn none_skipped(cache: &Cache, ids: &[u64]) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache), cache_err(_))]
async fn errors_cached(cache: &Cache, ids: &[u64]) -> Found {
    Ok(HashMap::new())
}

#[cached(cache = cache, many, skip(cache, id))]
async fn singular_skipped(cache: &Cache, ids: &[u64]) -> Found {
    Ok(HashMap::new())
}

fn main() {}
