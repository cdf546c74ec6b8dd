//! Fixed pairs of query and change. An earlier version of the rules missed each of them, or a rule
//! that is switched off would.

use mrc_core::depends::{Lack, derive_lacking};
use mrc_core::{Date, Params, params};
use mrc_tests::Database;
use mysql_async::prelude::Queryable;

use crate::Res;
use crate::column::Kind::{self, *};
use crate::follower::Follower;
use crate::run::one_answer;
use crate::schema::{Schema, Table};
use crate::server::{Collations, batch, prepare};

/// A query and a change that changes its answer.
#[derive(Debug, Clone)]
pub struct Case {
    /// The subject of the case.
    pub name: &'static str,
    /// The rule without which the case is missed.
    pub lack: Lack,
    tables: &'static [(&'static str, &'static [(&'static str, Kind)])],
    rows: &'static [&'static str],
    sql: &'static str,
    params: fn() -> Params,
    change: &'static str,
}

/// The outcome of a case on a server and by its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the answer changed. Some changes matter to one server alone.
    pub is_changed: bool,
    /// Whether a tag of the query ended.
    pub is_ended: bool,
}

const ID: (&str, Kind) = ("id", Int);
/// `utf8mb4_general_ci`, `latin1_swedish_ci`, `utf8mb4_lithuanian_ci`, `latin1_german2_ci`.
const GENERAL: Kind = Text(0);
const LATIN1: Kind = Text(3);
const LITHUANIAN: Kind = Text(4);
const GERMAN2: Kind = Text(5);

fn none() -> Params {
    params! {}
}

macro_rules! case {
    ($name:literal, $lack:ident, [$($table:literal: $($column:ident $kind:expr),*);*], $rows:expr, $sql:expr, $change:expr) => {
        case!($name, $lack, [$($table: $($column $kind),*);*], $rows, $sql, none, $change)
    };
    ($name:literal, $lack:ident, [$($table:literal: $($column:ident $kind:expr),*);*], $rows:expr, $sql:expr, $params:expr, $change:expr) => {
        Case {
            name: $name,
            lack: Lack::$lack,
            tables: &[$(($table, &[ID, $((stringify!($column), $kind)),*])),*],
            rows: &$rows,
            sql: $sql,
            params: $params,
            change: $change,
        }
    };
}

/// Returns all cases.
#[rustfmt::skip]
pub fn cases() -> Vec<Case> {
    vec![
        case!("IS NULL in WHERE is true for the rows that a LEFT JOIN adds", NullableSide,
            ["t0": a Int; "t1": a Int, b Int], ["INSERT INTO t0 VALUES (1, 1)"],
            "SELECT t0.id FROM t0 LEFT JOIN t1 ON t0.a = t1.a WHERE t1.b IS NULL", "INSERT INTO t1 VALUES (1, 1, 5)"),
        case!("IS NULL in WHERE is true for the rows that a RIGHT JOIN adds", NullableSide,
            ["t0": a Int; "t1": a Int, b Int], ["INSERT INTO t0 VALUES (1, 1)"],
            "SELECT t0.id FROM t1 RIGHT JOIN t0 ON t0.a = t1.a WHERE t1.b IS NULL", "INSERT INTO t1 VALUES (1, 1, 5)"),
        case!("IS NULL in an ON is true for the rows that an inner LEFT JOIN adds", NullableSide,
            ["t0": a Int; "t1": a Int, b Int; "t2": c Int],
            ["INSERT INTO t0 VALUES (1, 1)", "INSERT INTO t2 VALUES (1, 1)"],
            "SELECT t0.id FROM (t0 LEFT JOIN t1 ON t0.a = t1.a) JOIN t2 ON t1.b IS NULL", "INSERT INTO t1 VALUES (1, 1, 5)"),
        case!("ON of a LEFT JOIN keeps the rows of its left side", OuterOn,
            ["t0": a Int, b Int; "t1": c Int], ["INSERT INTO t0 VALUES (1, 2, 3)"],
            "SELECT t0.id, t0.b, t1.id FROM t0 LEFT JOIN t1 ON t0.a = 1 AND t1.c = t0.b", "UPDATE t0 SET b = 4"),
        case!("ON of a RIGHT JOIN keeps the rows of its right side", OuterOn,
            ["t0": a Int, b Int; "t1": c Int], ["INSERT INTO t0 VALUES (1, 2, 3)"],
            "SELECT t0.id, t0.b, t1.id FROM t1 RIGHT JOIN t0 ON t0.a = 1 AND t1.c = t0.b", "UPDATE t0 SET b = 4"),
        case!("a name in a subquery is the outer query's", Unqualified,
            ["t0": a Int; "t1": b Int], ["INSERT INTO t0 VALUES (1, 2)"],
            "SELECT id FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE a = 2)", "INSERT INTO t1 VALUES (1, 1)"),
        case!("a name without a table belongs to one of several", Unqualified,
            ["t0": a Int; "t1": b Int], ["INSERT INTO t0 VALUES (1, 2)"],
            "SELECT t0.id FROM t0, t1 WHERE a = 2", "INSERT INTO t1 VALUES (1, 1)"),
        case!("OR", BelowOr,
            ["t0": a Int, b Int], [], "SELECT id FROM t0 WHERE a = 1 OR b = 2", "INSERT INTO t0 VALUES (1, 5, 2)"),
        case!("|| binds less than AND", Tokens,
            ["t0": a Int, b Int, c Int], [],
            "SELECT id FROM t0 WHERE a = 1 || b = 2 AND c = 3", "INSERT INTO t0 VALUES (1, 1, 0, 0)"),
        case!("XOR binds less than AND", Tokens,
            ["t0": a Int, b Int], [], "SELECT id FROM t0 WHERE a XOR 0 AND b = 3", "INSERT INTO t0 VALUES (1, 1, 0)"),
        case!("&& binds more than OR", Nothing,
            ["t0": a Int, b Int, c Int], [],
            "SELECT id FROM t0 WHERE a = 1 && b = 2 OR c = 3", "INSERT INTO t0 VALUES (1, 5, 5, 3)"),
        case!("an operator of an ON", Tokens,
            ["t0": a Int, b Int; "t1": c Int], ["INSERT INTO t1 VALUES (1, 1)"],
            "SELECT t0.id FROM t0 JOIN t1 ON t0.a XOR 0 AND t0.b = 3", "INSERT INTO t0 VALUES (1, 1, 0)"),
        case!("EXISTS", Subqueries,
            ["t0": a Int; "t1": b Int], ["INSERT INTO t0 VALUES (1, 2)"],
            "SELECT id FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.b = 2)", "INSERT INTO t1 VALUES (1, 2)"),
        case!("a derived table", Subqueries,
            ["t0": a Int; "t1": b Int], [],
            "SELECT * FROM (SELECT id FROM t1 WHERE t1.b = 2) d", "INSERT INTO t1 VALUES (1, 2)"),
        case!("UNION", Subqueries,
            ["t0": a Int; "t1": b Int], [],
            "SELECT id FROM t0 WHERE a = 1 UNION SELECT id FROM t1 WHERE b = 2", "INSERT INTO t1 VALUES (1, 2)"),
        case!("a CTE", Subqueries,
            ["t0": a Int; "t1": b Int], [],
            "WITH c AS (SELECT id FROM t1 WHERE b = 2) SELECT id FROM c", "INSERT INTO t1 VALUES (1, 2)"),
        case!("a collation folds case", Fold,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = 'open'", "INSERT INTO t0 VALUES (1, 'OPEN')"),
        case!("a collation folds spaces at the end", Fold,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = 'open'", "INSERT INTO t0 VALUES (1, 'open ')"),
        case!("a collation folds accents", Fold,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = 'uber'", "INSERT INTO t0 VALUES (1, 'über')"),
        case!("i is y in Lithuanian", Fold,
            ["t0": a LITHUANIAN], [], "SELECT id FROM t0 WHERE a = 'bit'", "INSERT INTO t0 VALUES (1, 'byt')"),
        case!("latin1 folds accents", Fold,
            ["t0": a LATIN1], [], "SELECT id FROM t0 WHERE a = 'cafe'", "INSERT INTO t0 VALUES (1, 'CAFÉ')"),
        case!("ß is ss in German", Fold,
            ["t0": a GERMAN2], [], "SELECT id FROM t0 WHERE a = 'ss'", "INSERT INTO t0 VALUES (1, 'ß')"),
        case!("an integer equals a text that begins with it", Classes,
            ["t0": a Int], [], "SELECT id FROM t0 WHERE a = '6abc'", "INSERT INTO t0 VALUES (1, 6)"),
        case!("a text that is no number equals 0", Classes,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = 0", "INSERT INTO t0 VALUES (1, 'x')"),
        case!("a text equals a number that it begins with", Classes,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = 6", "INSERT INTO t0 VALUES (1, '6abc')"),
        case!("MariaDB rounds a constant to the type of an index", Classes,
            ["t0": a Int], ["INSERT INTO t0 VALUES (1, 1)", "ALTER TABLE t0 ADD KEY (a)"],
            "SELECT id FROM t0 WHERE a = 1.5", "INSERT INTO t0 VALUES (2, 2)"),
        case!("an ENUM reads a text as an index", Classes,
            ["t0": a Enum], [], "SELECT id FROM t0 WHERE a = '2'", "INSERT INTO t0 VALUES (1, 'paid')"),
        case!("an ENUM of index 0", Classes,
            ["t0": a Enum], [], "SELECT id FROM t0 WHERE a = 0", "INSERT INTO t0 VALUES (1, 'nothing')"),
        case!("bytes equal a text with spaces at its end", Classes,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a = ?", || params! { "A" => vec![0x61_u8] },
            "INSERT INTO t0 VALUES (1, 'a ')"),
        case!("the zero date IS NULL", Classes,
            ["t0": a DateNotNull], [], "SELECT id FROM t0 WHERE a IS NULL", "INSERT INTO t0 VALUES (1, '0000-00-00')"),
        case!("a DATETIME equals a date at midnight", Classes,
            ["t0": a DateTime], [], "SELECT id FROM t0 WHERE a = ?",
            || params! { "A" => Date::new(2025, 1, 15).map_or(mrc_core::Value::Null, Into::into) },
            "INSERT INTO t0 VALUES (1, '2025-01-15')"),
        case!("a YEAR equals its last two digits", Classes,
            ["t0": a Year], [], "SELECT id FROM t0 WHERE a = 25", "INSERT INTO t0 VALUES (1, 2025)"),
        case!("a row that leaves", Before,
            ["t0": a Int], ["INSERT INTO t0 VALUES (1, 1)"], "SELECT id FROM t0 WHERE a = 1", "UPDATE t0 SET a = 2"),
        case!("a row that is deleted", Before,
            ["t0": a Int], ["INSERT INTO t0 VALUES (1, 1)"], "SELECT id FROM t0 WHERE a = 1", "DELETE FROM t0"),
        case!("a CTE that is made of the table of its name", CteScope,
            ["t0": a Int], [],
            "WITH t0 AS (SELECT id FROM t0 WHERE a = 1) SELECT id FROM t0", "INSERT INTO t0 VALUES (1, 1)"),
        case!("a CTE whose name a definition before it has", CteScope,
            ["t0": a Int], [],
            "WITH c AS (SELECT id FROM t0 WHERE a = 1), t0 AS (SELECT 9 AS id) SELECT c.id, t0.id FROM c, t0",
            "INSERT INTO t0 VALUES (1, 1)"),
        case!("a CTE whose name is a table's behind its query", CteScope,
            ["t0": a Int], [],
            "SELECT id FROM (WITH t0 AS (SELECT 9 AS id) SELECT id FROM t0) d UNION ALL SELECT id FROM t0 WHERE a = 1",
            "INSERT INTO t0 VALUES (1, 1)"),
        case!("a CTE of a subquery", Nothing,
            ["t0": a Int], ["INSERT INTO t0 VALUES (9, 1)"],
            "SELECT id FROM t0 WHERE id IN (WITH t0 AS (SELECT 9 AS id) SELECT id FROM t0)", "DELETE FROM t0"),
        case!("the first part of a recursive CTE", Nothing,
            ["t0": a Int; "t1": b Int], ["INSERT INTO t1 VALUES (1, 2)"],
            "WITH RECURSIVE c AS (SELECT id FROM t0 WHERE a = 1 UNION SELECT c.id + 1 FROM c JOIN t1 ON t1.b = 2 \
             WHERE c.id < 3) SELECT id FROM c", "INSERT INTO t0 VALUES (1, 1)"),
        case!("the table beside a recursive CTE", Nothing,
            ["t0": a Int; "t1": b Int], ["INSERT INTO t0 VALUES (1, 1)"],
            "WITH RECURSIVE c AS (SELECT id FROM t0 WHERE a = 1 UNION SELECT c.id + 1 FROM c JOIN t1 ON t1.b = 2 \
             WHERE c.id < 3) SELECT id FROM c", "INSERT INTO t1 VALUES (1, 2)"),
        case!("a CTE whose name differs from the table's by case", Nothing,
            ["t0": a Int], [], "WITH T0 AS (SELECT 9 AS id) SELECT id FROM t0", "INSERT INTO t0 VALUES (1, 1)"),
        // No rule is switched off for these: they were misses by their parser or their grammar.
        case!("names that differ only by case", Nothing,
            ["t0": a Int; "t1": a Int, b Int], ["INSERT INTO t0 VALUES (1, 2)"],
            "SELECT o.id FROM t0 o WHERE EXISTS (SELECT 1 FROM t1 O WHERE o.a = 2 AND O.b = 1)",
            "INSERT INTO t1 VALUES (1, 5, 1)"),
        case!("a CTE that hides a table in a part of the statement", Nothing,
            ["t0": a Int], [],
            "SELECT id FROM t0 WHERE a = 1 UNION ALL SELECT id FROM (WITH t0 AS (SELECT 9 AS id) SELECT id FROM t0) d",
            "INSERT INTO t0 VALUES (1, 1)"),
        case!("ON with a function named like a join", Nothing,
            ["t0": a GENERAL; "t1": b Int], ["INSERT INTO t1 VALUES (1, 1)"],
            "SELECT t0.id FROM t0 JOIN t1 ON LEFT(t0.a, 2) = 'ab' AND t1.b = 1", "INSERT INTO t0 VALUES (1, 'abc')"),
        case!("an interval in the clause", Nothing,
            ["t0": a Int, b DateTime], [],
            "SELECT id FROM t0 WHERE b < NOW() - INTERVAL 1 DAY AND a = 1", "INSERT INTO t0 VALUES (1, 1, '2025-01-01')"),
        case!("IN with params of several types", Nothing,
            ["t0": a GENERAL], [], "SELECT id FROM t0 WHERE a IN (?, ?)", || params! { "A" => 5, "B" => "x" },
            "INSERT INTO t0 VALUES (1, 'X ')"),
    ]
}

/// Tries a case on the server of this run (`MRC_TEST_DATABASE`).
///
/// # Errors
/// The server can't be reached, or refuses the case.
pub async fn try_case(case: &Case, lack: Lack) -> Res<Outcome> {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    prepare(&mut conn).await?;
    let collations = Collations::ask(&mut conn).await?;
    let tables = case.tables.iter().map(|(name, columns)| Table::new(name, columns.to_vec()));
    let schema = Schema { tables: tables.collect(), views: Vec::new() };
    let mut first = schema.ddl(&collations.exist);
    first.extend(case.rows.iter().map(ToString::to_string));
    batch(&mut conn, &first).await?;
    let query = crate::query::Query::fixed(case.sql, (case.params)());
    let template = derive_lacking(case.sql, Some(database.name()), lack);
    template.followable().map_err(Clone::clone)?;
    let tags = template.tags(&query.params);
    let mut follower = Follower::new(&schema, database.name(), &collations.foldings, lack);
    tags.iter().for_each(|tag| follower.register(tag));

    let dumps: Vec<String> = schema.tables.iter().map(Table::dump).collect();
    let before = batch(&mut conn, &dumps).await?;
    let answer = one_answer(&mut conn, &query).await;
    conn.query_drop(case.change).await?;
    let after = batch(&mut conn, &dumps).await?;
    let (ended, _) = follower.ended(&before, &after);
    let is_changed = one_answer(&mut conn, &query).await.ok_or(case.sql)? != answer.ok_or(case.sql)?;
    let is_ended = tags.iter().any(|tag| ended.contains(&tag.tag) || ended.contains(&tag.scheme.name.tag));
    conn.disconnect().await?;
    Ok(Outcome { is_changed, is_ended })
}
