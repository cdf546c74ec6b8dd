//! The function under an attribute, with a parsed signature and an unparsed body. And the names
//! that an expression mentions: the companion needs these arguments.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Pat, PatType, PathArguments, PathSegment, ReceiverKind, Result,
    ReturnType, Signature, Type, Visibility,
};

#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

/// A function's return type. The type itself says whether it is a `Result`, however it is written.
/// Only the companion depends on the spelling.
pub(crate) struct Returns<'a> {
    /// The whole type.
    pub(crate) whole: &'a Type,
    /// The `T`, if the type is written as `Result<T, …>`.
    pub(crate) ok: Option<&'a Type>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let function = Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: input.parse()?,
        };
        match function.sig.asyncness {
            Some(_) => Ok(function),
            None => Err(Error::new_spanned(function.sig.fn_token, "a cache is awaited: write `async fn`")),
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.with_body(&self.body).to_tokens(tokens);
    }
}

impl Function {
    /// Returns the same function with another body.
    pub(crate) fn with_body(&self, body: impl ToTokens) -> TokenStream {
        let Self { attrs, vis, sig, .. } = self;
        // The body of the function becomes the body of a closure, whose braces may look superfluous
        // to rustc.
        quote!(#(#attrs)* #[allow(unused_braces)] #vis #sig #body)
    }

    /// Returns a closure that runs `before` and the body, and owns what they mention.
    pub(crate) fn closure(&self, before: &TokenStream) -> TokenStream {
        let (output, body) = (&self.sig.output, &self.body);
        if before.is_empty() {
            quote!(async move || #output #body)
        } else {
            quote!(async move || #output { #before #body })
        }
    }

    /// Returns the cache, valid for the whole call. The cache is cloned if the body could move it:
    /// a clone shares the entries.
    pub(crate) fn cache(&self, cache: &Expr) -> TokenStream {
        let names = mentioned(cache.to_token_stream());
        if self.sig.inputs.iter().any(|input| !is_shared(input) && mentions(&names, input)) {
            quote!(&<::mrc::Cache as ::core::clone::Clone>::clone(&#cache))
        } else {
            quote!(&#cache)
        }
    }

    pub(crate) fn returns(&self) -> Result<Returns<'_>> {
        let ReturnType::Type(_, whole) = &self.sig.output else {
            let nothing = "this function returns nothing: there is nothing to cache";
            return Err(Error::new_spanned(&self.sig.ident, nothing));
        };
        if mentioned(whole.to_token_stream()).contains("impl") {
            return Err(Error::new_spanned(whole, "a cached value is read back: name its type instead of `impl`"));
        }
        let ok = last_segment(whole).filter(|last| last.ident == "Result").and_then(first_type);
        Ok(Returns { whole, ok })
    }
}

/// Returns the last segment of a type's path: `Result` for `io::Result<u8>`.
fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the name of an argument. Returns `None` if the argument is a pattern.
pub(crate) fn name_of(argument: &PatType) -> Option<&Ident> {
    match &*argument.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        _ => None,
    }
}

/// Returns whether this argument binds any of the names.
pub(crate) fn mentions(names: &HashSet<String>, input: &FnArg) -> bool {
    match input {
        FnArg::Receiver(_) => names.contains("self"),
        FnArg::Typed(argument) => mentioned(argument.pat.to_token_stream()).iter().any(|name| names.contains(name)),
    }
}

/// Returns whether the argument is a shared reference, which stays usable after a move.
fn is_shared(input: &FnArg) -> bool {
    let shared = |ty: &Type| matches!(ty, Type::Reference(reference) if reference.mutability.is_none());
    match input {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
            ReceiverKind::Typed(_, ty) => shared(ty),
            _ => false,
        },
        FnArg::Typed(argument) => shared(&argument.ty),
    }
}

/// Returns the identifiers in tokens and in the braces of format strings. Extra names do no harm.
pub(crate) fn mentioned(tokens: TokenStream) -> HashSet<String> {
    let mut names = HashSet::new();
    collect(tokens, &mut names);
    names
}

/// Returns whether a literal has placeholders or doubled braces.
pub(crate) fn is_format(text: &str) -> bool {
    text.contains(['{', '}'])
}

fn collect(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Ident(ident) => {
                names.insert(ident.to_string());
            }
            TokenTree::Literal(literal) => names.extend(inline(&literal.to_string())),
            TokenTree::Punct(_) => {}
        }
    }
}

/// Returns the words of `{name}`, `{name:>width$}`.
fn inline(text: &str) -> impl Iterator<Item = String> {
    let braces = text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let word = |char: char| !(char.is_alphanumeric() || char == '_');
    braces.flat_map(move |inside| inside.split(word)).filter(|name| !name.is_empty()).map(str::to_owned)
}
