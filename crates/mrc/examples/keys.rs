//! Prints the keys of one query, in the formats of TypeScript and of Python.
//!
//! `cargo run -p mrc --example keys`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use mrc::key::KeyScheme;
use mrc::{KeyFormat, params};

fn main() -> Result<(), mrc::errors::KeyError> {
    let params = params! { "StoreId" => 6, "Active" => true, "MinTotal" => 10.0, "Note" => None::<String> };
    let npm = KeyScheme::new(KeyFormat::TypeScript).key("SELECT * FROM orders WHERE store_id = ?", &params)?;
    let pypi = KeyScheme::new(KeyFormat::Python).key("SELECT * FROM orders WHERE store_id = %s", &params)?;
    println!("TypeScript  {npm}\nPython      {pypi}");

    // The key has two readings: this value could share the entry of other params.
    let tricky = params! { "StoreId" => "6_Active=true", "Active" => false };
    let key = KeyScheme::default().key("SELECT 1", &tricky)?;
    println!("ambiguous   {key}: {}", key.ambiguity().map(ToString::to_string).unwrap_or_default());
    Ok(())
}
