#![allow(unused_variables)]

use mrc::{Cache, cached, invalidates};

type Text = String;

#[cached(cache = cache, skip(cache), skip_none)]
async fn no_option(cache: &Cache) -> Text {
    String::new()
}

#[cached(cache = cache, skip(cache), cache_err(_))]
async fn no_error(cache: &Cache) -> Text {
    String::new()
}

#[invalidates(cache = cache, tags("a"))]
async fn silent(cache: &Cache) -> Option<u8> {
    None
}

fn main() {}
