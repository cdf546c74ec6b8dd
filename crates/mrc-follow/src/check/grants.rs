//! The privileges of the user.

use super::finding::Finding;
use crate::event::Flavor;
use crate::rules::TableName;
use crate::source::{Session, SourceError};

/// The privileges of a user.
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

    /// Returns what is missing to see the foreign keys of the followed tables, which aren't known here.
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
    pub(super) fn sees(&self, table: &TableName) -> bool {
        self.has("SELECT", &objects(table))
    }

    /// Returns whether the user sees the foreign keys of MariaDB's table. MariaDB hides them from
    /// SELECT, and from privileges on the table alone.
    pub(super) fn sees_keys(&self, table: &TableName) -> bool {
        let [all, database, _] = objects(table);
        self.has("REFERENCES", &[all, database])
    }

    pub(super) fn fix_for(&self, table: &TableName, flavor: Flavor) -> String {
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
    pub(super) fn fix_for_keys(&self, table: &TableName) -> String {
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
