//! The tables of a text, as the database has them now: views have others behind them, and not
//! every engine's changes show in the log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use mrc_core::depends::{NotFollowable, SchemeTag, TableName, Template, derive, derive_tokens};
use mrc_core::statement::Tokens;
use mrc_core::{Param, Params, Value};
use mrc_store::{Moment, QueryExecutor, lock};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{Database, Follow, REMEMBERED, rows};
use crate::error::{Error, Result};

/// The most tables and views behind one text.
const MOST_TABLES: usize = 256;
/// The engines whose changes the log has under the table's own name.
const ENGINES: [&str; 4] = ["InnoDB", "MyISAM", "Aria", "MEMORY"];

/// The dependencies of a text's answers, with the tables behind its views.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) template: Template,
    /// The store's time before the database was asked.
    pub(crate) at: Moment,
    asked: Instant,
}

/// A text, and what is known about it.
#[derive(Debug)]
pub(crate) struct OfText {
    sql: Box<str>,
    /// The dependencies that the text shows. The tables behind its views aren't among them.
    derived: OnceLock<Template>,
    known: Mutex<Known>,
    /// Held by the caller that asks the database. The others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    followed: Option<Arc<Followed>>,
    is_told: bool,
}

impl OfText {
    pub(crate) fn new(sql: &str) -> Arc<Self> {
        let (derived, known) = (OnceLock::new(), Mutex::default());
        Arc::new(Self { sql: sql.into(), derived, known, asking: tokio::sync::Mutex::default() })
    }

    /// Returns the reason why the text isn't followed, the first time only.
    pub(super) fn refusal_once(&self) -> Option<NotFollowable> {
        let mut known = lock(&self.known);
        if known.is_told {
            return None;
        }
        let refusal = known.followed.as_ref()?.template.followable().err()?.clone();
        known.is_told = true;
        Some(refusal)
    }

    pub(super) fn forget(&self) {
        lock(&self.known).followed = None;
    }

    fn fresh(&self) -> Option<Arc<Followed>> {
        lock(&self.known).followed.clone().filter(|followed| followed.asked.elapsed() < REMEMBERED)
    }
}

impl Followed {
    /// Returns what the text's answers depend on. Asks the database again from time to time.
    pub(super) async fn of(
        text: &OfText,
        tokens: Option<Tokens>,
        params: &Params,
        follow: &Follow,
    ) -> Result<Arc<Self>> {
        if let Some(fresh) = text.fresh() {
            return Ok(fresh);
        }
        let _asking = text.asking.lock().await;
        if let Some(fresh) = text.fresh() {
            return Ok(fresh);
        }
        let (at, asked) = (follow.store.now().await?, Instant::now());
        let template = match resolve(text, tokens, params, follow).await {
            Ok(template) => template,
            Err(Error::Database(error)) if !error.is_retryable() => {
                Template::refused(NotFollowable::Unasked { why: error.to_string() })
            }
            Err(error) => return Err(error),
        };
        let followed = Arc::new(Self { template, at, asked });
        lock(&text.known).followed = Some(Arc::clone(&followed));
        Ok(followed)
    }
}

async fn resolve(text: &OfText, tokens: Option<Tokens>, params: &Params, follow: &Follow) -> Result<Template> {
    let database = follow.database.get_or_try_init(|| Database::ask(&*follow.executor)).await?;
    let tokens = || tokens.unwrap_or_else(|| Tokens::read(&text.sql));
    let derived = text.derived.get_or_init(|| derive_tokens(tokens(), database.schema.as_deref()));
    let mut template = derived.clone();
    if let Some(mode) = &database.mode {
        template.refuse(NotFollowable::Session { mode: mode.clone() });
    }
    let tables: BTreeSet<TableName> = template.occurrences().iter().map(|one| one.table().clone()).collect();
    // Before the question: a change of a table after it must reach the entry, so the follower has
    // to know the table by then.
    follow.register(&mut template.tags(params)).await?;
    match behind(tables, follow).await? {
        Ok(tables) => template.read_too(tables),
        Err(why) => template.refuse(why),
    }
    Ok(template)
}

/// Returns the tables behind views, those of views behind them too.
async fn behind(tables: BTreeSet<TableName>, follow: &Follow) -> Result<Result<BTreeSet<TableName>, NotFollowable>> {
    let executor = &*follow.executor;
    let (mut found, mut open) = (tables.clone(), tables);
    let mut behind = BTreeSet::new();
    while !open.is_empty() {
        let views = match views(&open, !behind.is_empty(), executor).await? {
            Ok(views) => views,
            Err(why) => return Ok(Err(why)),
        };
        open.clear();
        for view in views {
            let refuse = |why: String| NotFollowable::View { view: view.to_string(), why };
            let definition = derive(&definition(&view, executor).await?, Some(view.schema()));
            if let Err(why) = definition.followable() {
                return Ok(Err(refuse(why.to_string())));
            }
            let mut weakest: Vec<SchemeTag> = definition.tags(&Params::new()).iter().map(SchemeTag::weakest).collect();
            follow.register(&mut weakest).await?;
            for table in definition.occurrences().iter().map(|one| one.table().clone()) {
                behind.insert(table.clone());
                if found.insert(table.clone()) {
                    open.insert(table);
                }
            }
            if found.len() > MOST_TABLES {
                return Ok(Err(refuse(format!("it reads more than {MOST_TABLES} tables"))));
            }
        }
    }
    Ok(Ok(behind))
}

/// The kind of a table, and its engine.
type Listed = (String, Option<String>);

/// Returns the views among the tables. Refuses a table whose changes don't show in the log.
async fn views(
    tables: &BTreeSet<TableName>,
    are_behind: bool,
    executor: &dyn QueryExecutor,
) -> Result<Result<Vec<TableName>, NotFollowable>> {
    let mut views = Vec::new();
    for table in tables {
        let mut listed: Vec<Listed> = of_table(LISTED, table, executor).await?;
        if listed.is_empty() {
            // A name with upper case letters, on a server that tells them apart.
            listed = of_table(LISTED_IN_ANY_CASE, table, executor).await?;
        }
        // The list has all that the session may read. So a name of the text that it lacks is of a
        // table that isn't there yet. The tables of a view may be hidden.
        if listed.is_empty() && are_behind {
            return Ok(Err(NotFollowable::Unknown { what: table.to_string() }));
        }
        for (kind, engine) in listed {
            let engine = engine.unwrap_or_default();
            let is_table = ["BASE TABLE", "SYSTEM VERSIONED"].contains(&kind.as_str());
            if kind == "VIEW" {
                views.push(table.clone());
            } else if !is_table || !ENGINES.iter().any(|known| known.eq_ignore_ascii_case(&engine)) {
                let engine = if is_table { engine } else { kind };
                return Ok(Err(NotFollowable::Engine { table: table.to_string(), engine }));
            }
        }
    }
    Ok(Ok(views))
}

const LISTED: &str = "SELECT TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?";
const LISTED_IN_ANY_CASE: &str = "SELECT TABLE_TYPE AS kind, ENGINE AS engine FROM information_schema.TABLES \
    WHERE LOWER(TABLE_SCHEMA) = ? AND LOWER(TABLE_NAME) = ?";
const DEFINITION: &str = "SELECT VIEW_DEFINITION AS text FROM information_schema.VIEWS \
    WHERE LOWER(TABLE_SCHEMA) = ? AND LOWER(TABLE_NAME) = ?";

/// Returns the text of a view. It is empty if the user may not see it.
async fn definition(view: &TableName, executor: &dyn QueryExecutor) -> Result<String> {
    let found: Vec<(Option<String>,)> = of_table(DEFINITION, view, executor).await?;
    Ok(found.into_iter().find_map(|(text,)| text).unwrap_or_default())
}

async fn of_table<T: DeserializeOwned>(sql: &str, table: &TableName, executor: &dyn QueryExecutor) -> Result<Vec<T>> {
    let param = |name: &str| Param { name: None, value: Value::from(name) };
    rows(sql, &[param(table.schema()), param(table.name())].into_iter().collect(), executor).await
}
