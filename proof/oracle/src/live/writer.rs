//! A plain program that writes: statements, transactions, and changes of tables.

use std::collections::BTreeSet;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rand::Rng;
use rand::rngs::SmallRng;

use crate::column::Kind;
use crate::query::Query;
use crate::realistic;
use crate::run::Load;
use crate::schema::{NAMES, Schema, Table, statement};
use crate::server::Collations;

#[derive(Debug, Default)]
pub(super) struct Written {
    /// The statements that the server took, and the others as comments.
    pub(super) statements: Vec<String>,
    /// The tables with changed rows.
    pub(super) tables: BTreeSet<String>,
}

/// Writes with a connection of its own.
pub(super) struct Writer<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) rng: SmallRng,
    pub(super) written: Written,
}

impl Writer<'_> {
    /// Runs a statement. Returns whether the server took it.
    async fn run(&mut self, sql: String) -> bool {
        let done = self.conn.query_drop(&sql).await;
        let is_done = done.is_ok();
        self.written.statements.push(match done {
            Ok(()) => sql,
            Err(error) => format!("/* refused: {error} */ {sql}"),
        });
        is_done
    }

    /// Changes rows, mostly by one statement, else in a transaction.
    pub(super) async fn write(&mut self, schema: &Schema, load: Load) {
        let (begin, end): (&[&str], &[&str]) = match self.rng.random_range(0..100) {
            _ if load == Load::Realistic => (&[], &[]),
            0..60 => (&[], &[]),
            60..85 => (&["BEGIN"], &["COMMIT"]),
            85..92 => (&["BEGIN"], &["ROLLBACK"]),
            92..97 => (&["SET SESSION binlog_row_image = MINIMAL"], &["SET SESSION binlog_row_image = FULL"]),
            _ => (&["XA START 'x'"], &["XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'"]),
        };
        for sql in begin {
            self.run((*sql).into()).await;
        }
        let count = if begin.is_empty() { 1 } else { self.rng.random_range(1..4) };
        for _ in 0..count {
            let of = |rng: &mut SmallRng| statement(&schema.tables[rng.random_range(0..schema.tables.len())], rng);
            let some = if load == Load::Realistic { realistic::change(&mut self.rng) } else { vec![of(&mut self.rng)] };
            for sql in some {
                let named = schema.tables.iter().find(|table| sql.split_whitespace().any(|word| word == table.name));
                if self.run(sql).await
                    && self.conn.affected_rows() > 0
                    && let Some(table) = named
                {
                    self.written.tables.insert(table.name.clone());
                }
            }
        }
        for sql in end {
            // A transaction that the server has ended leaves some of these without a meaning.
            self.run((*sql).into()).await;
        }
        if end.contains(&"ROLLBACK") {
            self.written.tables.clear();
        } else if end.len() > 1 {
            self.run("XA ROLLBACK 'x'".into()).await;
        }
    }

    /// Changes a table or a view, and the schema with it.
    pub(super) async fn define(&mut self, schema: &mut Schema, collations: &Collations) {
        let at = self.rng.random_range(0..schema.tables.len());
        let other = (at + 1) % schema.tables.len();
        let (name, columns) = (schema.tables[at].name.clone(), schema.tables[at].columns.len());
        let (kind, column) = (Kind::random(&mut self.rng), self.rng.random_range(1..columns.max(2)));
        let ddl = kind.ddl(&collations.exist);
        match self.rng.random_range(0..7) {
            0 if columns > 1 => {
                let sql = format!("ALTER TABLE {name} MODIFY {} {ddl}", schema.tables[at].columns[column].0);
                if self.run(sql).await {
                    schema.tables[at].columns[column].1 = kind;
                }
            }
            1 if columns > 2 => {
                let sql = format!("ALTER TABLE {name} DROP COLUMN {}", schema.tables[at].columns[column].0);
                if self.run(sql).await {
                    schema.tables[at].columns.remove(column);
                }
            }
            2 => _ = self.run(format!("TRUNCATE TABLE {name}")).await,
            3 => {
                let next = schema.tables[other].name.clone();
                let sql = format!("RENAME TABLE {name} TO swapped, {next} TO {name}, swapped TO {next}");
                if self.run(sql).await {
                    schema.tables.swap(at, other);
                    (schema.tables[at].name, schema.tables[other].name) = (name, next);
                }
            }
            4 => self.view(schema).await,
            5 => {
                let table = Table::random(name.clone(), &mut self.rng);
                if self.run(format!("DROP TABLE {name}")).await && self.run(table.ddl(&collations.exist)).await {
                    schema.tables[at] = table;
                }
            }
            _ => {
                let has = |name: &str| schema.tables[at].columns.iter().any(|(known, _)| *known == name);
                let Some(new) = NAMES.into_iter().find(|name| !has(name)) else { return };
                if self.run(format!("ALTER TABLE {name} ADD COLUMN {new} {ddl}")).await {
                    schema.tables[at].columns.push((new, kind));
                }
            }
        }
    }

    /// Creates or replaces a view.
    pub(super) async fn view(&mut self, schema: &mut Schema) {
        let name = format!("v{}", self.rng.random_range(0..2));
        let (text, view) = Query::view(&name, schema, &mut self.rng);
        if self.run(format!("CREATE OR REPLACE VIEW {name} AS {text}")).await {
            schema.views.retain(|known| known.view.name != name);
            schema.views.push(view);
        }
    }

    /// Adds a foreign key, which changes rows of a table when another one's change.
    pub(super) async fn foreign_key(&mut self, schema: &Schema) -> bool {
        let at = self.rng.random_range(1..schema.tables.len());
        let (parent, child) = (&schema.tables[at - 1], &schema.tables[at]);
        let is_int = |(_, kind): &&(&str, Kind)| *kind == Kind::Int;
        let Some((column, _)) = child.columns[1..].iter().find(is_int) else { return false };
        let action = ["CASCADE", "SET NULL"][self.rng.random_range(0..2)];
        let (child, parent) = (&child.name, &parent.name);
        self.run(format!(
            "ALTER TABLE {child} ADD FOREIGN KEY ({column}) REFERENCES {parent} (id) ON DELETE {action} ON UPDATE CASCADE"
        ))
        .await
    }
}
