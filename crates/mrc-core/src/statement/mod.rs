//! Checks of a statement's text: whether its answer may be cached, and where its placeholders are.
//!
//! # The read-only check
//!
//! Only a statement that can't write, lock, or depend on the session is cached. [`check()`] decides
//! this from the tokens of sqlparser's tokenizer and not from a syntax tree, for three reasons:
//!
//! 1. MySQL's dialects outgrow any parser: many statements that plainly read don't parse.
//! 2. A visitor sees only the nodes that it knows; the list of tokens is complete.
//! 3. The words that write or lock are reserved: unquoted, outside strings and comments, and not
//!    after a `.`, they can't be names. So a statement that begins with `SELECT` and has none of
//!    them can write only through a function.
//!
//! A text is refused if the tokenizer and the servers split it differently, as in executable
//! comments or `a=1e3FOR UPDATE`.
//!
//! - **Only built-in functions pass**: those of MySQL 8 and 9, MariaDB 10.6 to 11, or SQLite,
//!   without a schema before the name and without quotes. A stored or a loaded function may write,
//!   so it is refused until the caller vouches for it with `Query::trust_read_only()`. The check
//!   doesn't know which server runs the text. So a stored function passes if its name is built in
//!   on another server, or if the built-in function takes another number of arguments.
//! - **Time functions pass** (`NOW()`, `CURDATE()`, …). Caches are for
//!   `created > NOW() - INTERVAL 1 DAY`, and every cached answer is as old as its TTL allows.
//!   [`depends_on_clock`] returns the function.
//! - **`RAND()`, `UUID()` and their like are refused**, with or without a seed, since every caller
//!   would get the same cached value.
//! - **Tables about the session or the server are refused**, as `SHOW` is: those of
//!   `performance_schema` and `sys`, and those of `information_schema` that don't define the data.
//! - **The check sees only the text.** A temporary table may hide a table of the same name. A view
//!   may call a stored function or ask for the user. The session's time zone isn't seen either.
//! - The text is read in the server's **default `sql_mode`**. `ANSI_QUOTES` matters only for
//!   backslashes in quoted names. With `NO_BACKSLASH_ESCAPES`, and in SQLite, bind literals that
//!   hold a backslash.

mod check;
mod functions;
mod placeholder;
mod refusal;
mod split;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use check::check_pieces;
pub use check::{check, check_ignoring_space};
pub use placeholder::{PlaceholderError, literal_places, placeholders};
pub use refusal::NotCacheable;
pub(crate) use split::{Piece, is_keyword, with_depth};
pub use tokens::{Tokens, depends_on_clock, select_alike};
