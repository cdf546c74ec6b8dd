//! The tables and columns of the rules, the foreign keys of these, and the user's privileges.

use super::settings::Finding;
use crate::event::Flavor;
use crate::rules::{Rules, TableName};
use crate::source::{Session, SourceError};

const COLUMNS: &str = "SELECT c.COLUMN_NAME, c.DATA_TYPE, t.TABLE_TYPE FROM information_schema.COLUMNS c \
    JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
    WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ?";

const FOREIGN_KEYS: &str = "SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, \
    UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?";

/// Types whose values have no text that a tag or a param could hold.
const REFUSED: &str = "float double bit set json vector uuid inet4 inet6 geometry point linestring polygon \
    multipoint multilinestring multipolygon geometrycollection geomcollection";

pub(super) async fn check(
    table: &TableName,
    rules: &Rules,
    grants: &Grants,
    session: &mut Session,
) -> Result<Vec<Finding>, SourceError> {
    let flavor = session.flavor;
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
            Some((_, kind, _)) if is_text && REFUSED.split(' ').any(|refused| refused == kind) => {
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
    let why = match session.flavor {
        Flavor::MariaDb => format!("MariaDB doesn't log these rows, so everything of {child} is invalidated then"),
        Flavor::MySql => format!(
            "MySQL doesn't log all of these rows, so everything of {child} is invalidated then, \
             if the follower's user may see the foreign key"
        ),
    };
    Ok(Some(Finding::warning(format!("{what}: {why}"), None)))
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Grants {
    /// The user, as statements have it: `'follower'@'%'`.
    user: String,
    /// Privileges, and the object of each: `*.*`.
    grants: Vec<(String, String)>,
}

impl Grants {
    pub(super) async fn read(session: &mut Session) -> Result<Self, SourceError> {
        let user = session.value("SELECT CURRENT_USER()").await?.unwrap_or_default();
        Ok(Self::of(&user, &session.values("SHOW GRANTS").await?))
    }

    fn of(user: &str, lines: &[String]) -> Self {
        let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
        let quoted = |text: &str| text.replace('\'', "''");
        let grants = lines.iter().filter_map(|line| {
            let (privileges, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
            // Wildcards in the name of a database are escaped.
            Some((privileges.to_owned(), rest.split_once(" TO ")?.0.replace("\\_", "_").replace("\\%", "%")))
        });
        Self { user: format!("'{}'@'{}'", quoted(name), quoted(host)), grants: grants.collect() }
    }

    pub(super) fn check(&self) -> Option<Finding> {
        const NEEDED: &str = "REPLICATION SLAVE";
        let what = format!("the user {} lacks the privilege {NEEDED}: the server refuses to send its log", self.user);
        let fix = format!("GRANT {NEEDED} ON *.* TO {};", self.user);
        (!self.has(NEEDED, &["*.*".to_owned()])).then(|| Finding::error(what, fix))
    }

    /// Returns what is missing to see the foreign keys of the followed tables, which aren't known
    /// here.
    pub(super) fn check_keys(&self, flavor: Flavor) -> Option<Finding> {
        const NEEDED: &str = "REFERENCES";
        let sees_some = self.grants.iter().any(|(privileges, _)| includes(privileges, NEEDED));
        let when = match flavor {
            Flavor::MySql => "",
            Flavor::MariaDb => " if the same statement changes other rows of the same table",
        };
        let what = format!(
            "the user {} lacks the privilege {NEEDED}: rows that foreign keys with CASCADE or SET NULL change may be \
             missed{when}",
            self.user
        );
        let fix = format!("GRANT {NEEDED} ON *.* TO {};", self.user);
        (!sees_some).then(|| Finding::warning(what, fix))
    }

    /// Returns whether the user surely sees a table if it exists.
    fn sees(&self, table: &TableName) -> bool {
        self.has("SELECT", &objects(table))
    }

    /// Returns whether the user sees the foreign keys of MariaDB's table. MariaDB hides them from
    /// SELECT, and from privileges on the table alone.
    fn sees_keys(&self, table: &TableName) -> bool {
        let [all, database, _] = objects(table);
        self.has("REFERENCES", &[all, database])
    }

    fn fix_for(&self, table: &TableName, flavor: Flavor) -> String {
        let (TableName { schema, name }, user) = (table, &self.user);
        match flavor {
            Flavor::MySql => {
                format!("GRANT SELECT, REFERENCES ON `{schema}`.`{name}` TO {user} /* SELECT for the check alone */;")
            }
            Flavor::MariaDb => format!(
                "GRANT SELECT ON `{schema}`.`{name}` TO {user} /* for the check alone */; {}",
                self.fix_for_keys(table)
            ),
        }
    }

    /// Returns the statement that shows MariaDB's foreign keys.
    fn fix_for_keys(&self, table: &TableName) -> String {
        // Both are wildcards in the name of a database.
        let schema = table.schema.replace('_', "\\_").replace('%', "\\%");
        format!("GRANT REFERENCES ON `{schema}`.* TO {};", self.user)
    }

    fn has(&self, privilege: &str, objects: &[String]) -> bool {
        self.grants.iter().any(|(privileges, object)| objects.contains(object) && includes(privileges, privilege))
    }
}

fn includes(privileges: &str, wanted: &str) -> bool {
    privileges.split(',').map(str::trim).any(|one| one == wanted || one == "ALL PRIVILEGES")
}

/// Returns the objects of which a table is a part.
fn objects(table: &TableName) -> [String; 3] {
    let TableName { schema, name } = table;
    ["*.*".to_owned(), format!("`{schema}`.*"), format!("`{schema}`.`{name}`")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_both_servers_print_them() {
        let of =
            |lines: &[&str]| Grants::of("o'n@a@%", &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        let orders = TableName::new("my_shop", "orders");
        for (lines, streams, sees) in [
            (&["GRANT USAGE ON *.* TO `f`@`%` IDENTIFIED BY PASSWORD '*1'"][..], false, false),
            (&["GRANT ALL PRIVILEGES ON *.* TO `f`@`%` WITH GRANT OPTION"], true, true),
            (&["GRANT SELECT, INSERT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `f`@`%`"], true, true),
            (&["GRANT REPLICATION SLAVE ON *.* TO `f`@`%`", "GRANT SELECT ON `my\\_shop`.* TO `f`@`%`"], true, true),
            (&["GRANT SELECT ON `my_shop`.`orders` TO `f`@`%`"], false, true),
            (&["GRANT SELECT (`id`), INSERT ON `my_shop`.`orders` TO `f`@`%`"], false, false),
            (&["GRANT SELECT ON `shop`.* TO `f`@`%`", "GRANT `role`@`%` TO `f`@`%`"], false, false),
        ] {
            let grants = of(lines);
            assert_eq!((grants.check().is_none(), grants.sees(&orders)), (streams, sees), "{lines:?}");
        }
        assert!(of(&["GRANT REPLICATION SLAVE ON *.* TO `f`@`%`"]).check_keys(Flavor::MySql).is_some());
        assert!(of(&["GRANT SELECT, REFERENCES ON `shop`.* TO `f`@`%`"]).check_keys(Flavor::MySql).is_none());
        assert!(of(&[]).fix_for(&orders, Flavor::MySql).contains("`my_shop`.`orders` TO 'o''n@a'@'%'"));
        assert!(
            of(&[]).fix_for(&orders, Flavor::MariaDb).ends_with("GRANT REFERENCES ON `my\\_shop`.* TO 'o''n@a'@'%';")
        );
        assert!(of(&["GRANT REFERENCES ON `my\\_shop`.* TO `f`@`%`"]).sees_keys(&orders));
        assert!(!of(&["GRANT REFERENCES ON `my_shop`.`orders` TO `f`@`%`"]).sees_keys(&orders));
    }
}
