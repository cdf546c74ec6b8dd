//! `#[cached]` and `#[invalidates]`: what a function's attribute says about its cache.
//!
//! Used through the facade `mrc`; what they emit names `::mrc` alone. A macro is parsed (`attr`, `function`), checked and expanded
//! (`cached`, `invalidates`); whatever it does can be written without it.

mod attr;
mod cached;
mod function;
mod invalidates;
mod key;
mod names;

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

/// With an error the function stands as it was written, so that its callers don't have errors too.
fn or_error(expanded: syn::Result<proc_macro2::TokenStream>, function: &Function) -> TokenStream {
    let tokens = expanded.unwrap_or_else(|error| {
        let error = error.to_compile_error();
        quote::quote!(#error #function)
    });
    tokens.into()
}
