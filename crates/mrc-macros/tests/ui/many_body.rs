#![allow(unused_variables)]

use std::collections::HashMap;

use mrc::{Cache, cached};

type Found = Result<HashMap<u64, u8>, mrc::Error>;

#[cached(cache = cache, many, key(id))]
async fn moved(cache: &Cache, ids: &[u64], text: String) -> Found {
    drop(text);
    Ok(HashMap::new())
}

fn main() {}
