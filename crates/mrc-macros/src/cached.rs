//! `#[cached]`: the function, which asks the cache first, and its companion.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, Result, Type};

use crate::attr::{CachedArgs, EntryName, Part};
use crate::function::{Function, Returns, last_segment, mentions, name_of};
use crate::{key, names};

pub(crate) fn expand(args: &CachedArgs, function: &Function) -> Result<TokenStream> {
    let returns = function.returns()?;
    check(args, &returns)?;
    let parts = key::parts(args, function)?;
    let spec = key::spec(args, function, &parts)?;
    let (cache, tags) = (bounded(args, function.cache(&args.cache)), &args.tags);
    let work = work(args, function, &returns);
    // An error type that can't carry the cache's errors is shown where it stands.
    let at = Span::call_site().located_at(returns.whole().span());
    let method = match returns {
        Returns::Result { .. } if args.cache_err.is_none() => quote_spanned!(at=> ::mrc::macros_support::get_or_try),
        _ => quote_spanned!(at=> ::mrc::Cache::get_or),
    };
    let call = quote_spanned!(at=> #method(__cache, #spec, #work).await);
    let cached = function.with_body(quote!({
        let __cache: &::mrc::Cache = #cache;
        #call
    }));
    let name = match &args.entry {
        EntryName::Off => None,
        EntryName::Default => {
            Some(format_ident!("{}_entry", function.sig.ident.unraw(), span = function.sig.ident.span()))
        }
        EntryName::Named(name) => Some(name.clone()),
    };
    let companion = name.map(|name| {
        let value = if args.cache_err.is_some() { returns.whole() } else { returns.value() };
        companion(args, function, &name, &parts, value, &quote!(#spec #(.tag(#tags))*))
    });
    Ok(quote!(#cached #companion))
}

/// The cache, or the function's own part of it.
fn bounded(args: &CachedArgs, cache: TokenStream) -> TokenStream {
    match &args.bound {
        None => cache,
        Some(bound) => quote!(&::mrc::macros_support::bounded(#cache, #bound)),
    }
}

fn check(args: &CachedArgs, returns: &Returns<'_>) -> Result<()> {
    let is_option = last_segment(returns.value()).is_some_and(|last| last.ident == "Option");
    if let Some(skip_none) = &args.skip_none
        && !is_option
    {
        return Err(Error::new(
            skip_none.span(),
            "`skip_none` is for what returns `Option<T>` or `Result<Option<T>, E>`",
        ));
    }
    match (&args.cache_err, &args.err_ttl, returns) {
        (Some(pattern), _, Returns::Plain(_)) => {
            Err(Error::new_spanned(&pattern.pattern, "`cache_err` is for what returns `Result<T, E>`"))
        }
        (None, Some(ttl), _) => {
            Err(Error::new_spanned(ttl, "which errors live that long? Write `cache_err(pattern)` too"))
        }
        _ => Ok(()),
    }
}

/// What a miss runs: tags, body, and then what its outcome says about the entry.
fn work(args: &CachedArgs, function: &Function, returns: &Returns<'_>) -> TokenStream {
    let tags = &args.tags;
    let before = quote!(#(::mrc::scope::tag(#tags);)*);
    let closure = function.closure(&before);
    if args.skip_none.is_none() && args.cache_err.is_none() {
        return closure;
    }
    let none = args.skip_none.iter().map(|_| match returns {
        Returns::Result { .. } => quote!(::core::result::Result::Ok(::core::option::Option::None)),
        Returns::Plain(_) => quote!(::core::option::Option::None),
    });
    let errors = args.cache_err.iter().map(|pattern| {
        let ttl = args.err_ttl.iter();
        quote! {
            #pattern => { #(::mrc::scope::set_ttl(#ttl);)* }
            ::core::result::Result::Err(_) => ::mrc::scope::skip(),
        }
    });
    let whole = returns.whole();
    quote! {
        async move || -> #whole {
            let __outcome: #whole = (#closure)().await;
            #[allow(unreachable_patterns, clippy::all)]
            match &__outcome {
                #(#none => ::mrc::scope::skip(),)*
                #(#errors)*
                _ => {}
            }
            __outcome
        }
    }
}

/// The function that returns the entry of a call: of the arguments in the key, and those that cache, TTL or tags are made of.
fn companion(
    args: &CachedArgs,
    function: &Function,
    name: &Ident,
    parts: &[Part],
    value: &Type,
    spec: &TokenStream,
) -> TokenStream {
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
    quote! {
        #(#conditional)*
        #[doc = #doc]
        #[must_use]
        #[allow(dead_code, unused_variables, clippy::all)]
        #vis fn #name #generics(#(#inputs),*) -> ::mrc::Entry<#value> #conditions {
            let __cache: &::mrc::Cache = #cache;
            __cache.entry(#spec)
        }
    }
}
