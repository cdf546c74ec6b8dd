#![allow(unused_variables)]

use mrc::{Cache, cached};

struct Db;

#[cached(cache = cache, skip(cache))]
async fn count(cache: &Cache, db: &Db, id: u8) -> u8 {
    let _ = db;
    id
}

fn main() {}
