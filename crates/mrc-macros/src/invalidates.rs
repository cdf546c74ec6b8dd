//! `#[invalidates]`: expands to a function that invalidates after its success.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Result, ReturnType};

use crate::attr::InvalidatesArgs;
use crate::function::Function;

pub(crate) fn expand(args: &InvalidatesArgs, function: &Function) -> Result<TokenStream> {
    let ReturnType::Type(_, whole) = &function.sig.output else {
        let unheard =
            "an invalidation can fail, and nobody would hear of it: return a `Result<T, E>` with `E: From<mrc::Error>`";
        return Err(Error::new_spanned(&function.sig.ident, unheard));
    };
    let cache = args.cache.iter().map(|cache| {
        let cache = function.cache(cache);
        quote!(let __cache: &::mrc::Cache = #cache;)
    });
    let selections = [(&args.tags, "any"), (&args.all_tags, "all")].into_iter().filter(|(tags, _)| !tags.is_empty());
    let (mut prepared, mut removals) = (Vec::new(), Vec::new());
    for (tags, of) in selections {
        let (name, of) = (format_ident!("__{of}"), format_ident!("{of}"));
        prepared.push(quote!(let #name = ::mrc::Select::#of([#(#tags),*]);));
        removals.push(quote!(__cache.invalidate(#name).await.map(::core::mem::drop)));
    }
    for (number, entry) in args.entries.iter().enumerate() {
        let name = format_ident!("__entry{number}");
        prepared.push(quote!(let #name = #entry;));
        removals.push(quote!(#name.remove().await.map(::core::mem::drop)));
    }
    // If the error type can't hold the cache's errors, the compiler points at the type.
    let at = Span::call_site().located_at(whole.span());
    let failed = quote_spanned!(at=> ::mrc::macros_support::failed(error));
    let closure = function.closure(&TokenStream::new());
    let outcome = quote_spanned!(at=> ::mrc::macros_support::outcome((#closure)().await));
    Ok(function.with_body(quote!({
        #(#cache)*
        // Evaluated before the body, because the body may move the arguments.
        #(#prepared)*
        let __value = match #outcome {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(error) => return ::core::result::Result::Err(error),
        };
        #(
            if let ::core::result::Result::Err(error) = #removals {
                return #failed;
            }
        )*
        ::core::result::Result::Ok(__value)
    })))
}
