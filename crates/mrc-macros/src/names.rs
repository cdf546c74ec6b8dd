//! Finds the names that an expression mentions: the companion needs these arguments.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};

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
