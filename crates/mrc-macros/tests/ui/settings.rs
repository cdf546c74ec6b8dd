#![allow(unused_variables)]

use mrc::{Cache, cached, invalidates};

#[cached(ttl = 60)]
async fn no_cache(id: u8) -> u8 {
    id
}

#[cached(cache = cache, key(user_id))]
async fn unknown_in_key(cache: &Cache, id: u8) -> u8 {
    id
}

#[cached(cache = cache, skip(cache, user_id))]
async fn unknown_in_skip(cache: &Cache, id: u8) -> u8 {
    id
}

#[cached(cache = cache, key(id), skip(cache))]
async fn both(cache: &Cache, id: u8) -> u8 {
    id
}

#[cached(cache = cache, key(id, id))]
async fn twice_in_key(cache: &Cache, id: u8) -> u8 {
    id
}

#[cached(cache = cache, time = 60)]
async fn unknown(cache: &Cache) -> u8 {
    1
}

#[cached(cache = cache, ttl = 1, ttl = 2)]
async fn twice(cache: &Cache) -> u8 {
    1
}

#[cached(cache = cache, skip(cache), err_ttl = 5)]
async fn no_pattern(cache: &Cache) -> Result<u8, String> {
    Ok(1)
}

#[invalidates(cache = cache)]
async fn no_tags(cache: &Cache) -> Result<(), mrc::Error> {
    Ok(())
}

fn main() {}
