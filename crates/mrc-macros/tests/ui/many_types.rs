#![allow(unused_variables)]

use std::collections::HashMap;

use mrc::{Cache, cached};

#[cached(cache = cache, many, skip(cache), entry = false)]
async fn no_map(cache: &Cache, ids: &[u64]) -> Vec<u8> {
    Vec::new()
}

#[cached(cache = cache, many, skip(cache), entry = false)]
async fn other_error(cache: &Cache, ids: &[u64]) -> Result<HashMap<u64, u8>, String> {
    Ok(HashMap::new())
}

fn main() {}
