#![allow(unused_variables)]

use mrc::{Cache, cached, invalidates};

#[derive(Debug, thiserror::Error)]
#[error("failed")]
struct Failure;

#[cached(cache = cache, skip(cache))]
async fn read(cache: &Cache, id: u8) -> Result<u8, Failure> {
    Ok(id)
}

#[invalidates(cache = cache, tags("id:{id}"))]
async fn write(cache: &Cache, id: u8) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
