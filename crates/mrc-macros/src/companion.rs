//! The companion of a cached function, and the cache that both ask.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::FnArg;
use syn::ext::IdentExt;

use crate::attr::{CachedArgs, EntryName, Part};
use crate::function::{Function, mentions, name_of};
use crate::names;

/// Returns the cache, or its part with the function's own bound.
pub(crate) fn bounded(args: &CachedArgs, cache: TokenStream) -> TokenStream {
    match &args.bound {
        None => cache,
        Some(bound) => quote!(&::mrc::macros_support::bounded(#cache, #bound)),
    }
}

/// Returns the companion: a function that returns the entry of a call, with a value of this type.
/// The companion takes the arguments in the key, and those that the cache, the bound, the TTL or the
/// tags mention. Returns `None` for `entry = false`.
pub(crate) fn companion(
    args: &CachedArgs,
    function: &Function,
    parts: &[Part],
    value: &TokenStream,
    entry: &TokenStream,
) -> Option<TokenStream> {
    let name = match &args.entry {
        EntryName::Off => return None,
        EntryName::Default => format_ident!("{}_entry", function.sig.ident.unraw(), span = function.sig.ident.span()),
        EntryName::Named(name) => name.clone(),
    };
    let (cache, bound, ttl, tags) = (&args.cache, &args.bound, &args.ttl, &args.tags);
    let mut needed = names::mentioned(quote!(#cache #bound #ttl #(#tags)*));
    let cache = bounded(args, quote!(&#cache));
    needed.extend(parts.iter().map(|part| part.argument.to_string()));
    let inputs = function.sig.inputs.iter().filter(|input| mentions(&needed, input)).map(|input| match input {
        FnArg::Receiver(_) => quote!(&self),
        FnArg::Typed(argument) => match name_of(argument) {
            Some(name) => {
                let ty = &argument.ty;
                quote!(#name: #ty)
            }
            None => argument.to_token_stream(),
        },
    });
    let (vis, (generics, _, conditions)) = (&function.vis, function.sig.generics.split_for_impl());
    let conditional = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let doc = format!(
        "The entry of a call of `{}` with these arguments: to look at, to set or to remove.",
        function.sig.ident
    );
    Some(quote! {
        #(#conditional)*
        #[doc = #doc]
        #[must_use]
        #[allow(dead_code, unused_variables, clippy::all)]
        #vis fn #name #generics(#(#inputs),*) -> ::mrc::Entry<#value> #conditions {
            #[allow(unused_imports)]
            use ::mrc::macros_support::OfAnyType as _;
            let __cache: &::mrc::Cache = #cache;
            #entry
        }
    })
}
