//! Questions to the database about its sessions.

use mrc_core::{Params, RowEncoder, RowFormat};
use mrc_store::QueryExecutor;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::error::Error;

/// Modes in which a text means something else.
const MODES: [&str; 4] = ["ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "HIGH_NOT_PRECEDENCE"];

/// A database's sessions, as far as a text's meaning depends on them.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) schema: Option<String>,
    /// The mode that makes every text not followable.
    pub(super) mode: Option<String>,
}

impl Database {
    pub(super) async fn ask(executor: &dyn QueryExecutor) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        struct Schema {
            name: Option<String>,
        }
        #[derive(serde::Deserialize)]
        struct Variable {
            #[serde(alias = "Variable_name")]
            name: String,
            #[serde(alias = "Value")]
            value: String,
        }
        let none = Params::new();
        let schema: Vec<Schema> = rows("SELECT DATABASE() AS name", &none, executor).await?;
        let wanted = "SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'sql_auto_is_null')";
        let variables: Vec<Variable> = rows(wanted, &none, executor).await?;
        let mode = variables.iter().find_map(|variable| match variable.name.as_str() {
            "sql_auto_is_null" => (variable.value == "ON").then(|| "sql_auto_is_null".to_owned()),
            _ => variable.value.split(',').find(|mode| MODES.contains(mode)).map(str::to_owned),
        });
        Ok(Self { schema: schema.into_iter().find_map(|schema| schema.name), mode })
    }
}

/// Returns the rows of a query, which bypasses the cache.
pub(super) async fn rows<T: DeserializeOwned>(
    sql: &str,
    params: &Params,
    executor: &dyn QueryExecutor,
) -> Result<Vec<T>, Error> {
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    executor.query(sql, params, &mut rows).await?;
    Answer::of_rows(rows)?.rows()
}
