//! `#[cached]` and `#[invalidates]`: attributes that cache functions and invalidate entries.
//!
//! Both emit code that names only `::mrc`, and that can be written by hand. An attribute is parsed
//! (`attr`, `function`), then checked and expanded (`cached`, `many`, `invalidates`).

mod attr;
mod cached;
mod function;
mod invalidates;
mod key;
mod many;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::attr::{CachedArgs, InvalidatesArgs};
use crate::function::Function;

#[doc = include_str!("cached.md")]
#[proc_macro_attribute]
pub fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as Function);
    let args = syn::parse::<CachedArgs>(args);
    or_error(args.and_then(|args| cached::expand(&args, &function)), &function)
}

#[doc = include_str!("invalidates.md")]
#[proc_macro_attribute]
pub fn invalidates(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as Function);
    let args = syn::parse::<InvalidatesArgs>(args);
    or_error(args.and_then(|args| invalidates::expand(&args, &function)), &function)
}

/// Emits an error with the unchanged function, so that its callers still compile.
fn or_error(expanded: syn::Result<proc_macro2::TokenStream>, function: &Function) -> TokenStream {
    let tokens = expanded.unwrap_or_else(|error| {
        let error = error.to_compile_error();
        quote::quote!(#error #function)
    });
    tokens.into()
}
