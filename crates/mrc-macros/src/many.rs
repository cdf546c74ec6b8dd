//! `#[cached(many)]`: expands to a function of many ids, with an entry for each, and its companion.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Pat, Result, Signature, Type};

use crate::attr::{CachedArgs, Many};
use crate::function::{Function, name_of};
use crate::key::{self, bounded, companion};

/// The argument that holds the ids.
struct Ids<'a> {
    position: usize,
    name: &'a Ident,
    pattern: &'a Pat,
    /// The type of one id.
    ty: &'a Type,
    /// The name of one id, in the key and in the tags.
    id: Ident,
}

pub(crate) fn expand(many: &Many, args: &CachedArgs, function: &Function) -> Result<TokenStream> {
    check_settings(args)?;
    let whole = function.returns()?.whole;
    let ids = ids(many, function)?;
    check_plural(args, &ids)?;
    let single = of_one(&ids, function)?;
    let parts = key::parts(args, &single)?;
    let Ids { name, pattern, ty, id, .. } = &ids;
    if !parts.iter().any(|part| part.argument == *id) {
        return Err(Error::new(many.at, format!("all ids would share one entry: the key needs `{id}`")));
    }
    let (spec, tags) = (key::spec(args, &single, &parts)?, &args.tags);
    let spec = quote!(#spec #(.tag(#tags))*);
    let (cache, output, body) = (&args.cache, &function.sig.output, &function.body);
    let cache = bounded(args, quote!(&#cache));
    // If the type is no map, the compiler points at the type.
    let at = Span::call_site().located_at(whole.span());
    let get_many = quote_spanned!(at=> <#whole as ::mrc::macros_support::Map<#ty>>::get_many);
    let cached = function.with_body(quote!({
        let __cache: &::mrc::Cache = #cache;
        let __body = &::mrc::macros_support::repeatable(async |#pattern: &[#ty]| #output #body);
        let __of_missing = |__ids: ::std::vec::Vec<#ty>| async move { __body(&__ids).await };
        #get_many(__cache, #name, |#id: &#ty| #spec, __of_missing).await
    }));
    let value = quote_spanned!(at=> ::core::option::Option<<#whole as ::mrc::macros_support::Map<#ty>>::Value>);
    let companion = companion(args, &single, &parts, &value, &quote!(__cache.entry(#spec)));
    Ok(quote!(#cached #companion))
}

fn check_settings(args: &CachedArgs) -> Result<()> {
    let (at, message) = match (&args.skip_none, &args.cache_err, &args.err_ttl) {
        (Some(at), ..) => (at.span(), "an id without a value is an entry: `many` has no `skip_none`"),
        (_, Some(errors), _) => (errors.pattern.span(), "`many` caches no errors: it has no `cache_err`"),
        (.., Some(ttl)) => (ttl.span(), "`many` caches no errors: it has no `err_ttl`"),
        _ => return Ok(()),
    };
    Err(Error::new(at, message))
}

/// Refuses the ids in `key(…)` and `skip(…)`.
fn check_plural(args: &CachedArgs, Ids { name, id, .. }: &Ids<'_>) -> Result<()> {
    let of_key = args.key.iter().flatten().map(|part| &part.argument);
    match of_key.chain(args.skip.iter().flatten()).find(|named| named == name) {
        Some(at) => Err(Error::new(at.span(), format!("each id has its own key: write `{id}`, one of `{name}`"))),
        None => Ok(()),
    }
}

/// Returns the first argument that is a slice. Its ids are named by its name without the last `s`.
fn ids<'a>(many: &Many, function: &'a Function) -> Result<Ids<'a>> {
    let slice = |(position, input): (usize, &'a FnArg)| {
        let FnArg::Typed(argument) = input else { return None };
        let Type::Reference(reference) = &*argument.ty else { return None };
        let Type::Slice(slice) = &*reference.elem else { return None };
        Some((position, name_of(argument)?, &*argument.pat, &*slice.elem))
    };
    let Some((position, name, pattern, ty)) = function.sig.inputs.iter().enumerate().find_map(slice) else {
        let needed = "`many` needs the ids: an argument that is a slice, like `ids: &[u64]`";
        return Err(Error::new(function.sig.ident.span(), needed));
    };
    let plural = name.unraw().to_string();
    let id = match (&many.id, plural.strip_suffix('s')) {
        (Some(id), _) => id.clone(),
        (None, Some(singular)) if !singular.is_empty() => Ident::new(singular, name.span()),
        (None, _) => {
            let message = format!("`{plural}` doesn't end in `s`: write `many = id`, the name of one id in the key");
            return Err(Error::new(name.span(), message));
        }
    };
    Ok(Ids { position, name, pattern, ty, id })
}

/// Returns the function with one id in place of the ids: it has the key and the companion.
fn of_one(Ids { position, name, ty, id, .. }: &Ids<'_>, function: &Function) -> Result<Function> {
    let mut inputs = function.sig.inputs.clone();
    if inputs.iter().any(|input| matches!(input, FnArg::Typed(argument) if name_of(argument) == Some(id))) {
        return Err(Error::new(id.span(), format!("`{id}` is one of `{name}`, and another argument: rename one")));
    }
    if let Some(input) = inputs.iter_mut().nth(*position) {
        *input = syn::parse2(quote!(#id: &#ty))?;
    }
    Ok(Function { sig: Signature { inputs, ..function.sig.clone() }, ..function.clone() })
}
