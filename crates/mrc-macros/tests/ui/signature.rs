#![allow(unused_variables)]

use mrc::{Cache, cached, invalidates};

#[cached(cache = cache)]
fn sync(cache: &Cache) -> u8 {
    1
}

#[cached(cache = cache, skip(cache))]
async fn nothing(cache: &Cache) {}

#[cached(cache = cache, skip(cache))]
async fn anonymous(cache: &Cache) -> impl Sized {
    1
}

#[cached(cache = cache, skip(cache))]
async fn pattern(cache: &Cache, (a, b): (u8, u8)) -> u8 {
    a + b
}

#[invalidates(cache = cache, tags("a"))]
async fn silent(cache: &Cache) {}

struct Shop(Cache);

impl Shop {
    #[cached(cache = self.0)]
    async fn name(&self, id: u8) -> String {
        id.to_string()
    }

    #[cached(cache = self.0, skip(id))]
    async fn number(&self, id: u8) -> u8 {
        id
    }
}

fn main() {}
