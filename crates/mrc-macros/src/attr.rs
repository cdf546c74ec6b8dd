//! Parses the arguments of the attributes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Lit, LitBool, LitInt, LitStr, Member, Pat, Result, Token, parenthesized};

use crate::function::is_format;

/// The arguments of `#[cached(…)]`.
pub(crate) struct CachedArgs {
    pub(crate) cache: Expr,
    pub(crate) bound: Option<Expr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) version: Option<LitInt>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) key: Option<Vec<Part>>,
    pub(crate) skip: Option<Vec<Ident>>,
    pub(crate) tags: Vec<TagExpr>,
    pub(crate) skip_none: Option<Ident>,
    pub(crate) cache_err: Option<ErrPattern>,
    pub(crate) err_ttl: Option<Expr>,
    pub(crate) entry: EntryName,
    pub(crate) many: Option<Many>,
}

/// The arguments of `#[invalidates(…)]`.
pub(crate) struct InvalidatesArgs {
    /// `None` if only entries are removed. Each entry knows its cache.
    pub(crate) cache: Option<Expr>,
    pub(crate) tags: Vec<TagExpr>,
    pub(crate) all_tags: Vec<TagExpr>,
    pub(crate) entries: Vec<Expr>,
}

/// A part of the identity of a call: an argument, or a field of an argument.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) argument: Ident,
    pub(crate) fields: Vec<Member>,
}

/// A tag: a format string, or an expression that converts into a tag.
pub(crate) struct TagExpr(pub(crate) Expr);

/// `pattern`, or `pattern if condition`.
pub(crate) struct ErrPattern {
    pub(crate) pattern: Pat,
    guard: Option<Expr>,
}

/// `many`, or `many = id` with the name of one id.
pub(crate) struct Many {
    pub(crate) at: Span,
    pub(crate) id: Option<Ident>,
}

/// The name of the companion.
#[derive(Default)]
pub(crate) enum EntryName {
    /// The function's name and `_entry`.
    #[default]
    Default,
    Named(Ident),
    /// No companion.
    Off,
}

const CACHED: &str = "cache, ttl, key, skip, tags, bound, version, prefix, skip_none, cache_err, err_ttl, entry, many";

impl Parse for CachedArgs {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut cache, mut bound, mut ttl, mut version, mut prefix, mut key) = (None, None, None, None, None, None);
        let (mut skip, mut tags, mut skip_none, mut cache_err, mut err_ttl, mut entry, mut many) =
            (None, None, None, None, None, None, None);
        each(input, |name| match name.to_string().as_str() {
            "cache" => once(&mut cache, name, assigned(input)?),
            "bound" => once(&mut bound, name, assigned(input)?),
            "ttl" => once(&mut ttl, name, assigned(input)?),
            "version" => once(&mut version, name, assigned(input)?),
            "prefix" => once(&mut prefix, name, assigned(input)?),
            "key" => once(&mut key, name, list(input, Part::parse)?),
            "skip" => once(&mut skip, name, list(input, Ident::parse_any)?),
            "tags" => once(&mut tags, name, list(input, |tag| tag.parse().map(TagExpr))?),
            "skip_none" => once(&mut skip_none, name, name.clone()),
            "cache_err" => once(&mut cache_err, name, within(input)?),
            "err_ttl" => once(&mut err_ttl, name, assigned(input)?),
            "entry" => once(&mut entry, name, assigned(input)?),
            "many" => once(&mut many, name, Many::parse(name, input)?),
            _ => Err(unknown(name, CACHED)),
        })?;
        let cache = cache.ok_or_else(|| Error::new(Span::call_site(), NO_CACHE))?;
        let (tags, entry) = (tags.unwrap_or_default(), entry.unwrap_or_default());
        Ok(Self { cache, bound, ttl, version, prefix, key, skip, tags, skip_none, cache_err, err_ttl, entry, many })
    }
}

impl Parse for InvalidatesArgs {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut cache, mut tags, mut all_tags, mut entries) = (None, None, None, None);
        each(input, |name| match name.to_string().as_str() {
            "cache" => once(&mut cache, name, assigned(input)?),
            "tags" => once(&mut tags, name, list(input, |tag| tag.parse().map(TagExpr))?),
            "all_tags" => once(&mut all_tags, name, list(input, |tag| tag.parse().map(TagExpr))?),
            "entry" => once(&mut entries, name, list(input, Expr::parse)?),
            _ => Err(unknown(name, "cache, tags, all_tags, entry")),
        })?;
        let args = Self {
            cache,
            tags: tags.unwrap_or_default(),
            all_tags: all_tags.unwrap_or_default(),
            entries: entries.unwrap_or_default(),
        };
        let tagged = !args.tags.is_empty() || !args.all_tags.is_empty();
        if !tagged && args.entries.is_empty() {
            let nothing = "nothing is invalidated: write `tags(…)`, `all_tags(…)` or `entry(…)`";
            return Err(Error::new(Span::call_site(), nothing));
        }
        if tagged && args.cache.is_none() {
            return Err(Error::new(Span::call_site(), NO_CACHE));
        }
        Ok(args)
    }
}

const NO_CACHE: &str = "there is no cache: write `cache = …`, an expression that is or derefs to a `mrc::Cache`";

impl Part {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let argument = Ident::parse_any(input)?;
        let mut fields = Vec::new();
        while input.parse::<Option<Token![.]>>()?.is_some() {
            fields.push(input.parse()?);
        }
        Ok(Self { argument, fields })
    }

    pub(crate) fn of(argument: &Ident) -> Self {
        Self { argument: argument.clone(), fields: Vec::new() }
    }

    /// Returns the name in the key: `user_id`, `self.tenant`.
    pub(crate) fn name(&self) -> String {
        let fields = self.fields.iter().map(|field| match field {
            Member::Named(field) => format!(".{}", field.unraw()),
            Member::Unnamed(field) => format!(".{}", field.index),
        });
        fields.fold(self.argument.unraw().to_string(), |name, field| name + &field)
    }
}

impl ToTokens for Part {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { argument, fields } = self;
        tokens.extend(quote!(#argument #(.#fields)*));
    }
}

impl ToTokens for TagExpr {
    /// Emits the tag, as an expression.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let tag = &self.0;
        tokens.extend(match tag {
            Expr::Lit(literal) if matches!(&literal.lit, Lit::Str(text) if is_format(&text.value())) => {
                quote!(::mrc::Tag::from(::std::format!(#tag)))
            }
            _ => quote!(::mrc::Tag::from(#tag)),
        });
    }
}

impl Parse for ErrPattern {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let guard = if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { pattern, guard })
    }
}

impl ToTokens for ErrPattern {
    /// Emits the pattern of a whole result, and its condition.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (pattern, guard) = (&self.pattern, self.guard.iter());
        tokens.extend(quote!(::core::result::Result::Err(#pattern) #(if #guard)*));
    }
}

impl Many {
    fn parse(name: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let id = if input.peek(Token![=]) { Some(assigned(input)?) } else { None };
        Ok(Self { at: name.span(), id })
    }
}

impl Parse for EntryName {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitBool) {
            return input.parse().map(Self::Named);
        }
        match input.parse::<LitBool>()? {
            LitBool { value: false, .. } => Ok(Self::Off),
            name => Err(Error::new(name.span, "write `entry = false`, or `entry = name`")),
        }
    }
}

/// Parses the name of each setting, and lets `take` parse the rest.
fn each(input: ParseStream<'_>, mut take: impl FnMut(&Ident) -> Result<()>) -> Result<()> {
    while !input.is_empty() {
        take(&Ident::parse_any(input)?)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn assigned<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn within<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    let content;
    parenthesized!(content in input);
    let value = content.parse()?;
    if content.is_empty() { Ok(value) } else { Err(content.error("unexpected")) }
}

fn list<T>(input: ParseStream<'_>, part: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated_with(&content, part)?.into_iter().collect())
}

fn once<T>(setting: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    match setting.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(name.span(), format!("`{name}` is given twice"))),
    }
}

fn unknown(name: &Ident, known: &str) -> Error {
    Error::new(name.span(), format!("`{name}` isn't known here: there are {known}"))
}
