//! `#[cached]`: expands to a function that asks the cache first, and its companion.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Result};

use crate::attr::CachedArgs;
use crate::function::{Function, Returns};
use crate::key::{self, bounded, companion};
use crate::many;

pub(crate) fn expand(args: &CachedArgs, function: &Function) -> Result<TokenStream> {
    if let Some(many) = &args.many {
        return many::expand(many, args, function);
    }
    let returns = function.returns()?;
    if let (None, Some(ttl)) = (&args.cache_err, &args.err_ttl) {
        return Err(Error::new_spanned(ttl, "which errors live that long? Write `cache_err(pattern)` too"));
    }
    let parts = key::parts(args, function)?;
    let spec = key::spec(args, function, &parts)?;
    let (cache, tags) = (bounded(args, function.cache(&args.cache)), &args.tags);
    let (whole, work) = (returns.whole, work(args, function, &returns));
    // If the error type can't hold the cache's errors, the compiler points at the type.
    let at = Span::call_site().located_at(whole.span());
    let call = if args.cache_err.is_some() {
        quote_spanned!(at=> ::mrc::Cache::get_or(__cache, #spec, #work).await)
    } else {
        quote_spanned!(at=> ::mrc::macros_support::Returns::<#whole>::new().kind().get(__cache, #spec, #work).await)
    };
    let cached = function.with_body(quote!({
        #[allow(unused_imports)]
        use ::mrc::macros_support::OfAnyType as _;
        let __cache: &::mrc::Cache = #cache;
        #call
    }));
    let spec = quote!(#spec #(.tag(#tags))*);
    // With `cache_err` the `Result` is the value, else its `Ok`, if the type is written out.
    let (value, entry) = match returns.ok {
        _ if args.cache_err.is_some() => (whole, quote!(__cache.entry(#spec))),
        Some(ok) => (ok, quote!(::mrc::macros_support::Returns::<#whole>::new().ok_entry(__cache, #spec))),
        None => (whole, quote!(::mrc::macros_support::Returns::<#whole>::new().entry(__cache, #spec))),
    };
    let companion = companion(args, function, &parts, &value.to_token_stream(), &entry);
    Ok(quote!(#cached #companion))
}

/// Returns the closure that a miss runs: the tags, the body, the rules for its outcome.
fn work(args: &CachedArgs, function: &Function, returns: &Returns<'_>) -> TokenStream {
    let tags = &args.tags;
    let before = quote!(#(::mrc::scope::tag(#tags);)*);
    let closure = function.closure(&before);
    if args.skip_none.is_none() && args.cache_err.is_none() {
        return closure;
    }
    let whole = returns.whole;
    // If the return type has no `None` or `Err`, the compiler points at the setting.
    let none = args.skip_none.iter().map(|skip_none| {
        let is_nothing = quote_spanned!(skip_none.span()=> ::mrc::macros_support::is_nothing(&__outcome));
        quote!(if #is_nothing { ::mrc::scope::skip(); })
    });
    let errors = args.cache_err.iter().map(|pattern| {
        let ttl = args.err_ttl.iter();
        let outcome = quote_spanned!(pattern.pattern.span()=> ::mrc::macros_support::as_outcome(&__outcome));
        quote! {
            #[allow(unreachable_patterns, clippy::all)]
            match #outcome {
                #pattern => { #(::mrc::scope::set_ttl(#ttl);)* }
                ::core::result::Result::Err(_) => ::mrc::scope::skip(),
                _ => {}
            }
        }
    });
    quote! {
        async move || -> #whole {
            let __outcome: #whole = (#closure)().await;
            #(#none)*
            #(#errors)*
            __outcome
        }
    }
}
