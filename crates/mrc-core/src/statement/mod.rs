//! What a statement's text says about it: whether its answer may be cached, and where its
//! placeholders are.
//!
//! # The read-only check
//!
//! Only a statement that can't write, lock, or depend on the session is cached. [`check()`] decides
//! it from the tokens of sqlparser's tokenizer, and not from a syntax tree, for three reasons.
//! A tree shows what its parser understood, and MySQL's dialects outgrow any parser: much that
//! plainly reads doesn't parse. A visitor sees the nodes that it was taught; the list of tokens is
//! complete. And the words that write or lock are reserved: unquoted, outside of strings and
//! comments, and not after a `.`, they can't be names, so that a statement that begins with
//! `SELECT` and holds none of them has no way to write but through a function. Where the tokenizer
//! and the servers split a text differently, as in executable comments or `a=1e3FOR UPDATE`, the
//! text is refused.
//!
//! - **Only built-in functions pass**: those that MySQL 8 and 9, MariaDB 10.6 to 11, or SQLite have
//!   built in, without a schema before the name and without quotes. A stored or a loaded function
//!   may write, and is refused until the caller vouches for it with `Query::trust_read_only()`. The
//!   check doesn't know which server runs the text. A stored function passes if its name is another
//!   server's built-in one, or a built-in one's that takes another number of arguments.
//! - **Time functions pass** (`NOW()`, `CURDATE()`, …): `created > NOW() - INTERVAL 1 DAY` is what
//!   caches are for, and the answer is as old as its TTL allows, as every cached answer is.
//!   [`depends_on_clock`] names the function.
//! - **`RAND()`, `UUID()` and their like are refused**, with a seed or without: a cached one would
//!   be handed to every caller.
//! - **Tables about the session or the server are refused**, as `SHOW` is: those of
//!   `performance_schema` and `sys`, and those of `information_schema` that tell anything but how
//!   the data is defined.
//! - **What the text doesn't show isn't seen**: a temporary table that hides a table of the same
//!   name, a view that calls a stored function or asks for the user, the session's time zone.
//! - The text is read in the server's **default `sql_mode`**. `ANSI_QUOTES` makes no difference
//!   save for backslashes in quoted names; with `NO_BACKSLASH_ESCAPES` don't write literals that
//!   hold a backslash into the text, but bind them. SQLite, which knows no such escapes, likewise.

mod calls;
mod check;
mod clock;
mod functions;
mod lexer;
mod neighbours;
mod placeholder;
mod refusal;
mod split;
mod tables;
#[cfg(test)]
mod tests;

pub use check::{check, check_ignoring_space};
pub use clock::depends_on_clock;
pub use placeholder::{PlaceholderError, literal_places, placeholders};
pub use refusal::NotCacheable;
