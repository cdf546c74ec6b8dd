//! The identity of a call: the function, its type arguments, and the chosen arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Error, FnArg, GenericParam, PatType, ReceiverKind, Result};

use crate::attr::{CachedArgs, Part};
use crate::function::{Function, name_of};
use crate::names;

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
                return Err(Error::new(
                    receiver.self_token.span,
                    "does the result depend on `self`? If not, write `skip(self)`; else name what it depends on, `key(self.field, …)`",
                ));
            }
            FnArg::Receiver(_) => {}
            FnArg::Typed(argument) => match name_of(argument) {
                Some(name) if skip.contains(name) => {}
                Some(name) => parts.push(Part::of(name)),
                None => {
                    return Err(Error::new_spanned(
                        &argument.pat,
                        "a pattern has no name in a key: name the argument and take it apart in the body, or choose others by `key(…)`",
                    ));
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
    let types = function.sig.generics.params.iter().filter_map(|generic| match generic {
        GenericParam::Type(ty) => {
            let (name, ty) = (format!("<{}>", ty.ident), &ty.ident);
            Some(quote!(.param(#name, ::core::any::type_name::<#ty>())))
        }
        GenericParam::Const(constant) => {
            let (name, constant) = (format!("<{}>", constant.ident), &constant.ident);
            Some(quote!(.param(#name, #constant)))
        }
        GenericParam::Lifetime(_) => None,
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
    names::mentioned(ty.to_token_stream()).contains("impl")
}
