//! The command line.

mod follow;

use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, styling};
use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use mrc::{KeyFormat, Params, Query, RowFormat, Tag};

pub(crate) use self::follow::FollowArgs;
use crate::value::{self, Each, Named};

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

const VALUES: &str = "\
VALUE is JSON if it parses as JSON, else a string: StoreId=6 is a number, State=open and Zip=00123 are strings, \
'Code=\"6\"' is a string of one digit, 'Ids=[1,2,3]' is the list for one IN (?), Gone=null is NULL.";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    `get` found no value, `follow --status` no position, `follow --check` an error
  2    wrong usage or input; nothing was run
  3    the database failed
  4    the cache failed
  5    anything else, such as a full disk behind stdout
  6    `follow --once`: another follower of this name runs
  7    `follow`: another replica of the database has the same server_id
  130  interrupted by Ctrl-C";

const EXAMPLES: &str = "\
Examples:
  See what it does, with no server at all:
    mrc demo

  Ask through the cache, twice: a miss, then a hit:
    export MRC_MYSQL_URL=mysql://shop:secret@localhost:3306/shop
    export MRC_REDIS_URL=redis://:secret@localhost:6379
    mrc query --sql 'SELECT * FROM orders WHERE store_id = ?' --param StoreId=6 --ttl 600

  See which changed rows will invalidate the entry:
    mrc explain --sql 'SELECT * FROM orders WHERE store_id = ?' --param StoreId=6 --database shop

  Ask for several ids at once; one statement reads those that the cache doesn't have:
    mrc query --sql 'SELECT id, name FROM users WHERE id = ?' --each UserId=1,2,3 \\
        --batch 'SELECT id, name FROM users WHERE id IN (?)'

  Look at the entry, and at how long it will stay:
    mrc get --sql 'SELECT * FROM orders WHERE store_id = ?' --param StoreId=6
    mrc get --sql 'SELECT * FROM orders WHERE store_id = ?' --param StoreId=6 --ttl

  Count, then drop, the entries of store 6, and of no store 66:
    mrc drop StoreId=6 --dry-run
    mrc drop StoreId=6

  Tag what is cached, and drop all that has the tag, however many other keys there are:
    mrc query --sql 'SELECT * FROM orders WHERE store_id = ?' --param StoreId=6 --tag orders
    mrc invalidate orders

  Look at what the cache holds:
    mrc stats

  Invalidate what each commit of any program changes: check the servers, then follow:
    mrc follow --config follow.toml --check
    mrc follow --config follow.toml --listen 9184";

/// A read-through cache for MySQL and Redis, from the command line.
///
/// stdout carries only the result, stderr carries everything else. With --json the result is one
/// JSON document, and an error is {"error":{"kind","message"}} on stderr.
#[derive(Debug, Parser)]
#[command(name = "mrc", version, styles = STYLES, max_term_width = 110, after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The flags of every command.
#[derive(clap::Args)]
#[command(next_help_heading = "Connections")]
pub(crate) struct Global {
    /// MySQL or MariaDB: mysql://user:password@host:3306/database
    ///
    /// Prefer the environment variable: other users can read a command line and its password.
    #[arg(long, global = true, value_name = "URL", env = "MRC_MYSQL_URL", hide_env_values = true)]
    pub(crate) mysql: Option<String>,
    /// Redis: redis://user:password@host:6379/0, also rediss, redis-cluster, redis-sentinel
    ///
    /// Prefer the environment variable: other users can read a command line and its password.
    #[arg(long, global = true, value_name = "URL", env = "MRC_REDIS_URL", hide_env_values = true)]
    pub(crate) redis: Option<String>,
    /// The prefix of every key in Redis; give and read keys without the prefix [default: nothing]
    #[arg(long, global = true, value_name = "TEXT", env = "MRC_REDIS_PREFIX", hide_env_values = true)]
    pub(crate) prefix: Option<String>,
    /// Print the result as JSON on stdout, and errors as JSON on stderr
    #[arg(long, global = true, help_heading = None::<&str>)]
    pub(crate) json: bool,
}

/// Omits the URLs, which hold passwords.
impl std::fmt::Debug for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Global").field("prefix", &self.prefix).field("json", &self.json).finish_non_exhaustive()
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the key of a query and its params
    Key(KeyArgs),
    /// Explain which changed rows invalidate a query's entry, and what to write to narrow them
    ///
    /// Only the text is read, and no server is asked. So a view counts as a table, and the types of
    /// the columns aren't checked: compare them with the lines "exact if".
    Explain(ExplainArgs),
    /// Run a query through the cache and print its rows as JSON
    Query(QueryArgs),
    /// Print a cached value, or its remaining TTL
    Get(GetArgs),
    /// Drop the entries that have some params, and print their number
    Drop(DropArgs),
    /// Invalidate the entries that have a tag, and print their number
    ///
    /// Tags belong to the whole cache: queries and functions of every namespace may have them. The
    /// cost depends on the number of these entries, not on the number of all keys.
    Invalidate(InvalidateArgs),
    /// Show the approximate number of entries, and the state of the servers
    ///
    /// A scan counts the entries, perhaps some twice. A key NAMESPACE:… is of this namespace. A key
    /// that ends in a statement's hash is a query. A server's numbers cover all its users.
    Stats,
    /// Follow the database's log, and invalidate what each commit changes
    ///
    /// The rules in the file say which tags and params a changed row invalidates. Runs until Ctrl-C
    /// or SIGTERM. Of several followers with one name one follows, and the others stand by. With
    /// --json it prints a line for each change of its state, and its numbers every 10 s.
    Follow(FollowArgs),
    /// Show what the cache does: without servers, or on your servers if both URLs are set
    Demo,
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}

/// The params of a statement.
#[derive(Debug, clap::Args)]
pub(crate) struct ParamArgs {
    /// A param, in the order of the placeholders; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = value::named, requires = "sql")]
    params: Vec<Named>,
}

impl ParamArgs {
    pub(crate) fn params(&self) -> Params {
        value::params(&self.params)
    }
}

/// The parts of a key, besides the statement.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyedArgs {
    /// The text for the key, if another service's statement differs [default: the statement]
    #[arg(long, value_name = "TEXT", requires = "sql", allow_hyphen_values = true)]
    sql_for_key: Option<String>,
    #[command(flatten)]
    params: ParamArgs,
    /// The package whose key format is used
    #[arg(long, value_enum, default_value_t, env = "MRC_KEY_FORMAT", hide_env_values = true)]
    pub(crate) format: Format,
}

impl KeyedArgs {
    /// Returns the text for the key.
    pub(crate) fn text<'a>(&'a self, sql: &'a str) -> &'a str {
        self.sql_for_key.as_deref().unwrap_or(sql)
    }

    pub(crate) fn params(&self) -> Params {
        self.params.params()
    }

    /// Returns the first given flag that needs a statement.
    pub(crate) fn needs_sql(&self) -> Option<&'static str> {
        if self.sql_for_key.is_some() { Some("--sql-for-key") } else { self.params.params.first().map(|_| "--param") }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = VALUES, group(ArgGroup::new("of").required(true).args(["sql", "jsonl"])))]
pub(crate) struct KeyArgs {
    /// The statement, with a ? for each param; or any other text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) sql: Option<String>,
    #[command(flatten)]
    pub(crate) keyed: KeyedArgs,
    /// Read {"query","params":[…],"names":[…]} from stdin, one per line, and print one key per line
    ///
    /// Each key equals the key that the npm or PyPI package computes from this line. A key may
    /// contain a line break: with --json each key is {"key":"…"}.
    #[arg(long, conflicts_with_all = ["sql_for_key", "params"])]
    pub(crate) jsonl: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = VALUES)]
pub(crate) struct ExplainArgs {
    /// The statement, with a ? for each param
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) sql: String,
    #[command(flatten)]
    pub(crate) params: ParamArgs,
    /// The database of tables without one before their names [default: that of --mysql]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) database: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = VALUES)]
pub(crate) struct QueryArgs {
    /// The statement, with a ? for each param
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) sql: String,
    #[command(flatten)]
    pub(crate) keyed: KeyedArgs,
    /// The TTL of the entry, in seconds, ±10 %
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "86400", allow_hyphen_values = true)]
    pub(crate) ttl: Duration,
    /// The format of the rows
    #[arg(long, value_enum, default_value_t, env = "MRC_ROW_FORMAT", hide_env_values = true)]
    pub(crate) rows: Rows,
    /// Query the database without the cache; every statement is allowed, also a write
    #[arg(long, conflicts_with_all = ["sql_for_key", "trust_read_only"])]
    pub(crate) no_cache: bool,
    /// Cache the statement although mrc can't be sure that it only reads
    #[arg(long)]
    pub(crate) trust_read_only: bool,
    /// A tag of the entry, for `mrc invalidate`; may be given several times
    #[arg(long = "tag", value_name = "TAG", value_parser = tag, conflicts_with = "no_cache")]
    pub(crate) tags: Vec<Tag>,
    /// Tag the entry with each param, NAME=VALUE, for `mrc drop --by index`
    #[arg(long, conflicts_with = "no_cache")]
    pub(crate) tag_by_params: bool,
    /// The name of the follower that keeps the entry right: see `mrc follow` with auto = true
    #[arg(long, value_name = "NAME", env = "MRC_FOLLOW", hide_env_values = true)]
    pub(crate) follow: Option<String>,
    #[command(flatten)]
    pub(crate) many: ManyArgs,
}

impl QueryArgs {
    /// Returns the query with its key's text and its tags.
    pub(crate) fn query(&self) -> Query<'static> {
        let query = Query::new(self.sql.clone()).keyed_as(self.keyed.text(&self.sql).to_owned());
        let query = if self.trust_read_only { query.trust_read_only() } else { query };
        let query = if self.tag_by_params { query.tag_by_params() } else { query };
        self.tags.iter().cloned().fold(query, Query::tag)
    }
}

/// The flags of a query for several values of one param.
#[derive(Debug, clap::Args)]
pub(crate) struct ManyArgs {
    /// Ask for each of these values, and print the rows of each in a line of its own
    ///
    /// Each value has the entry of the query for it alone. The param comes after those of --param.
    #[arg(long, value_name = "NAME=V1,V2,…", value_parser = value::each, requires = "batch",
        conflicts_with = "no_cache", help_heading = "Many at once")]
    pub(crate) each: Option<Each>,
    /// The statement for the values that the cache doesn't have, with IN (?) for them
    #[arg(long, value_name = "TEXT", requires = "each", allow_hyphen_values = true, help_heading = "Many at once")]
    pub(crate) batch: Option<String>,
    /// The selected column that holds the value
    #[arg(long, value_name = "NAME", default_value = "id", help_heading = "Many at once")]
    pub(crate) column: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = VALUES, group(ArgGroup::new("of").required(true).args(["key", "sql"])))]
pub(crate) struct GetArgs {
    /// The key, as `mrc key` prints it
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The statement of the cached query
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) sql: Option<String>,
    #[command(flatten)]
    pub(crate) keyed: KeyedArgs,
    /// Print the remaining TTL instead, in seconds; inf: the entry never expires
    #[arg(long)]
    pub(crate) ttl: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = VALUES)]
pub(crate) struct DropArgs {
    /// The params; drops the entries that have any of them
    #[arg(value_name = "NAME=VALUE", value_parser = value::named, required = true)]
    params: Vec<Named>,
    /// Drop only entries that have all of the params
    #[arg(long)]
    pub(crate) all: bool,
    /// Match NAME=VALUE anywhere in a key, as the npm and PyPI packages do: StoreId=6 then also
    /// drops StoreId=66
    #[arg(long)]
    pub(crate) substring: bool,
    /// The way to find the entries
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: By,
    /// Count by a scan the entries that would be dropped, and drop nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The time to retry a drop after a failure of the cache, in seconds; 0: no retry
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) retry: u32,
}

impl DropArgs {
    pub(crate) fn params(&self) -> Params {
        value::params(&self.params)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct InvalidateArgs {
    /// The tags, such as user:42 or StoreId=6; invalidates the entries that have any of them
    #[arg(value_name = "TAG", value_parser = tag, required = true)]
    pub(crate) tags: Vec<Tag>,
    /// Invalidate only entries that have all of the tags
    #[arg(long)]
    pub(crate) all: bool,
    /// The time to retry an invalidation after a failure of the cache, in seconds; 0: no retry
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) retry: u32,
}

#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// [`KeyFormat`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// As the npm package spells it
    #[default]
    Typescript,
    /// As the PyPI package spells it
    Python,
}

impl From<Format> for KeyFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Typescript => Self::TypeScript,
            Format::Python => Self::Python,
        }
    }
}

/// [`RowFormat`] on the command line.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Rows {
    /// Without loss
    #[default]
    Canonical,
    /// Byte for byte as the npm package stores them
    Typescript,
    /// Byte for byte as the PyPI package stores them
    Python,
}

impl From<Rows> for RowFormat {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Canonical => Self::Canonical,
            Rows::Typescript => Self::TypeScript,
            Rows::Python => Self::Python,
        }
    }
}

/// The way in which a drop finds its entries, on the command line.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum By {
    /// Scan all keys: finds every entry, also those that the npm and PyPI packages wrote
    #[default]
    Scan,
    /// Use the index of tags: costs only the dropped entries, finds only entries tagged by params
    Index,
    /// Use the index, then scan: drops the indexed entries at once, and finds every entry
    Both,
}

fn tag(text: &str) -> Result<Tag, String> {
    let tag = Tag::new(text);
    tag.check().map_err(|error| error.to_string())?;
    Ok(tag)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "it is a number of seconds above 0, such as 3600 or 0.5".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_life_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "1h", "NaN", "inf", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
