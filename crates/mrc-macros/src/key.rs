//! The identity of a call: the function, its type arguments, and the chosen arguments. And the
//! companion of a cached function, with the cache that both ask.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{ConstParam, Error, FnArg, GenericParam, PatType, ReceiverKind, Result, TypeParam};

use crate::attr::{CachedArgs, EntryName, Part};
use crate::function::{Function, mentioned, mentions, name_of};

/// Returns the arguments in the key: those of `key(…)`, or all except those of `skip(…)`.
pub(crate) fn parts(args: &CachedArgs, function: &Function) -> Result<Vec<Part>> {
    match (&args.key, &args.skip) {
        (Some(_), Some(skip)) => {
            let at = skip.first().map_or_else(Span::call_site, Ident::span);
            Err(Error::new(at, "`key(…)` says all that identifies a call: leave `skip(…)` away"))
        }
        (Some(parts), None) => {
            for (at, part) in parts.iter().enumerate() {
                find(function, &part.argument)?;
                if parts[..at].iter().any(|earlier| earlier.name() == part.name()) {
                    return Err(Error::new(part.argument.span(), format!("`{}` is given twice", part.name())));
                }
            }
            Ok(parts.clone())
        }
        (None, skip) => {
            let skip = skip.as_deref().unwrap_or_default();
            skip.iter().try_for_each(|name| find(function, name).map(drop))?;
            all_but(skip, function)
        }
    }
}

fn all_but(skip: &[Ident], function: &Function) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for input in &function.sig.inputs {
        match input {
            FnArg::Receiver(receiver) if !skip.iter().any(|name| name == "self") => {
                let message = "does the result depend on `self`? If not, write `skip(self)`; else name what it depends on, `key(self.field, …)`";
                return Err(Error::new(receiver.self_token.span, message));
            }
            FnArg::Receiver(_) => {}
            FnArg::Typed(argument) => match name_of(argument) {
                Some(name) if skip.contains(name) => {}
                Some(name) => parts.push(Part::of(name)),
                None => {
                    let message = "a pattern has no name in a key: name the argument and take it apart in the body, or choose others by `key(…)`";
                    return Err(Error::new_spanned(&argument.pat, message));
                }
            },
        }
    }
    Ok(parts)
}

/// Returns the argument with this name.
fn find<'a>(function: &'a Function, name: &Ident) -> Result<&'a FnArg> {
    let is_it = |input: &&FnArg| match input {
        FnArg::Receiver(_) => name == "self",
        FnArg::Typed(argument) => name_of(argument) == Some(name),
    };
    let found = function.sig.inputs.iter().find(is_it);
    found.ok_or_else(|| Error::new(name.span(), format!("`{}` has no argument `{name}`", function.sig.ident)))
}

/// Returns the `Spec` of a call, as an expression.
pub(crate) fn spec(args: &CachedArgs, function: &Function, parts: &[Part]) -> Result<TokenStream> {
    let name = function.sig.ident.unraw().to_string();
    let identity = match &args.prefix {
        Some(prefix) => {
            let path = format!("{}::{name}", prefix.value());
            quote!(::mrc::macros_support::prefixed(&|| {}, #path))
        }
        None => quote!(::mrc::macros_support::identity(&|| {}, #name)),
    };
    let version = args.version.iter();
    let types = function.sig.generics.params.iter().filter_map(|generic| {
        let (ident, value) = match generic {
            GenericParam::Type(TypeParam { ident, .. }) => (ident, quote!(::core::any::type_name::<#ident>())),
            GenericParam::Const(ConstParam { ident, .. }) => (ident, quote!(#ident)),
            GenericParam::Lifetime(_) => return None,
        };
        let name = format!("<{ident}>");
        Some(quote!(.param(#name, #value)))
    });
    let spec = quote!(::mrc::Spec::of(#identity) #(.version(#version))* #(#types)*);
    let spec = parts.iter().try_fold(spec, |spec, part| param(&spec, function, part))?;
    let ttl = args.ttl.iter();
    Ok(quote!(#spec #(.ttl(#ttl))*))
}

fn param(spec: &TokenStream, function: &Function, part: &Part) -> Result<TokenStream> {
    let name = part.name();
    // A compile error about the argument points at the argument, not at the attribute.
    let at = Span::call_site().located_at(part.argument.span());
    let place = place(function, part, at)?;
    // The type of an `impl Trait` has no name in the source, so the value names the type.
    let unnamed = matches!(find(function, &part.argument)?, FnArg::Typed(PatType { ty, .. }) if is_impl(ty));
    let ty = unnamed.then(|| {
        let name = format!("<{name}>");
        quote!(.param(#name, ::core::any::type_name_of_val(#place)))
    });
    Ok(quote_spanned!(at=> ::mrc::macros_support::param(#spec #ty, #name, #place)))
}

/// Returns a reference to the part, as an expression.
fn place(function: &Function, part: &Part, at: Span) -> Result<TokenStream> {
    Ok(match find(function, &part.argument)? {
        FnArg::Receiver(receiver) if part.fields.is_empty() && !matches!(receiver.kind, ReceiverKind::Value) => {
            quote_spanned!(at=> &*#part)
        }
        _ => quote_spanned!(at=> &#part),
    })
}

fn is_impl(ty: &syn::Type) -> bool {
    mentioned(ty.to_token_stream()).contains("impl")
}

/// Returns the cache, or its part with the function's own bound.
pub(crate) fn bounded(args: &CachedArgs, cache: TokenStream) -> TokenStream {
    match &args.bound {
        None => cache,
        Some(bound) => quote!(&::mrc::macros_support::bounded(#cache, #bound)),
    }
}

/// Returns the companion: a function that returns the entry of a call, with a value of this type.
/// The companion takes the arguments in the key, and those that the cache, the bound, the TTL or
/// the tags mention. Returns `None` for `entry = false`.
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
    let mut needed = mentioned(quote!(#cache #bound #ttl #(#tags)*));
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
    let ident = &function.sig.ident;
    let doc = format!("The entry of a call of `{ident}` with these arguments: to look at, to set or to remove.");
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
