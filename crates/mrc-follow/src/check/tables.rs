//! The tables and columns of the rules, and the foreign keys that change their rows.

use super::finding::Finding;
use super::grants::Grants;
use crate::event::Flavor;
use crate::rules::{Rules, TableName};
use crate::source::{Session, SourceError};

const COLUMNS: &str = "SELECT c.COLUMN_NAME, c.DATA_TYPE, t.TABLE_TYPE FROM information_schema.COLUMNS c \
    JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
    WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ?";

const FOREIGN_KEYS: &str = "SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, \
    UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?";

/// Types whose values have no text that a tag or a param could hold.
const REFUSED: [&str; 18] = [
    "float",
    "double",
    "bit",
    "set",
    "json",
    "vector",
    "uuid",
    "inet4",
    "inet6",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
];

/// Returns what the rules of a table lack.
pub(super) async fn check(
    table: &TableName,
    rules: &Rules,
    grants: &Grants,
    session: &mut Session,
) -> Result<Vec<Finding>, SourceError> {
    let flavor = session.flavor();
    let names = || vec![table.schema.clone(), table.name.clone()];
    let columns: Vec<(String, String, String)> = session.rows(COLUMNS, names()).await?;
    let Some((_, _, kind)) = columns.first() else {
        return Ok(vec![if grants.sees(table) {
            Finding::error(format!("there is no table {table}: correct the rule"), None)
        } else {
            let what = format!("{table} wasn't checked: it doesn't exist, or this user can't see it");
            Finding::warning(what, grants.fix_for(table, flavor))
        }]);
    };
    if kind.ends_with("VIEW") {
        let what = format!("{table} is a view, and the log names only tables: write rules for the tables of the view");
        return Ok(vec![Finding::error(what, None)]);
    }
    let mut findings = Vec::new();
    for (column, is_text) in rules.columns_of(table) {
        match columns.iter().find(|(name, ..)| name.to_lowercase() == column.to_lowercase()) {
            None if grants.sees(table) => {
                let what = format!(
                    "{table} has no column `{column}`, so every change invalidates everything of the table: \
                     correct the rule"
                );
                findings.push(Finding::error(what, None));
            }
            None => {
                let what = format!("`{column}` of {table} wasn't checked: it doesn't exist, or this user can't see it");
                findings.push(Finding::warning(what, grants.fix_for(table, flavor)));
            }
            Some((_, kind, _)) if is_text && REFUSED.contains(&kind.as_str()) => {
                let what = format!(
                    "`{column}` of {table} has the type {}, which tags and params can't hold, so every change \
                     invalidates everything of the table: use another column",
                    kind.to_uppercase()
                );
                findings.push(Finding::error(what, None));
            }
            Some(_) => {}
        }
    }
    if flavor == Flavor::MariaDb && !grants.sees_keys(table) {
        let what = format!(
            "the foreign keys of {table} weren't checked: MariaDB hides them from this user. The follower may miss \
             rows that they change, if the same statement changes other rows of the table"
        );
        findings.push(Finding::warning(what, grants.fix_for_keys(table)));
    }
    let keys: Vec<ForeignKey> = session.rows(FOREIGN_KEYS, names()).await?;
    for key in keys {
        findings.extend(cascade(table, &key, rules, session).await?);
    }
    Ok(findings)
}

/// Schema and name of the parent, the key's name, and what happens on delete and on update.
type ForeignKey = (String, String, String, String, String);

async fn cascade(
    child: &TableName,
    (schema, parent, name, on_delete, on_update): &ForeignKey,
    rules: &Rules,
    session: &mut Session,
) -> Result<Option<Finding>, SourceError> {
    let parent = TableName::new(schema, parent);
    let changes = |action: &str| matches!(action, "CASCADE" | "SET NULL" | "SET DEFAULT");
    let actions = [("DELETE", on_delete), ("UPDATE", on_update)];
    let actions = actions.iter().filter(|(_, action)| changes(action));
    let actions: Vec<_> = actions.map(|(verb, action)| format!("ON {verb} {action}")).collect();
    if actions.is_empty() || rules.covers(&parent, child) {
        return Ok(None);
    }
    let what =
        format!("the foreign key `{name}` changes rows of {child} with those of {parent} ({})", actions.join(", "));
    if session.flavor() == Flavor::MariaDb {
        let what = format!("{what}: MariaDB doesn't log these rows, so everything of {child} is invalidated then");
        return Ok(Some(Finding::warning(what, None)));
    }
    let what = format!(
        "{what}: MySQL doesn't log all of these rows, so everything of {child} is invalidated then, \
         if the follower's user may see the foreign key"
    );
    Ok(Some(Finding::warning(what, None)))
}
