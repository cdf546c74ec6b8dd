//! Batches of statements on a real server.

use mrc_core::depends::CollationFolding;
use mrc_tests::Database;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use tokio::sync::OnceCell;

use crate::Res;
use crate::column::{COLLATIONS, collation};

/// The texts of a row. Other drivers' types don't matter: both answers come from this one.
pub(crate) type Texts = Vec<Option<String>>;

/// Zero dates and members of index 0 need a mode that isn't strict.
pub(crate) const MODE: &str = "SET SESSION sql_mode = ''";

/// Stops the clock of a session at 10:00 on 2025-01-15. The answer of a query with `NOW()` changes
/// with time too, and no tag ends for that.
pub(crate) const CLOCK: &str = "SET SESSION time_zone = '+00:00', timestamp = 1736935200";

/// Prepares a session that reads before and after a change.
pub(crate) async fn prepare(conn: &mut Conn) -> Res<()> {
    conn.query_drop(MODE).await?;
    Ok(conn.query_drop(CLOCK).await?)
}

/// Runs statements in one trip. Returns the rows of each.
pub(crate) async fn batch(conn: &mut Conn, statements: &[String]) -> Res<Vec<Vec<Texts>>> {
    let mut result = conn.query_iter(statements.join(";\n")).await?;
    let mut answers = Vec::with_capacity(statements.len());
    while answers.len() < statements.len() {
        let rows: Vec<Row> = result.collect().await?;
        answers.push(rows.into_iter().map(texts).collect());
    }
    drop(result);
    Ok(answers)
}

/// Runs one query. Returns `None` if the server refuses it.
pub(crate) async fn answer(conn: &mut Conn, sql: &str) -> Option<Vec<Texts>> {
    let rows: Vec<Row> = conn.query(sql.to_owned()).await.ok()?;
    Some(rows.into_iter().map(texts).collect())
}

fn texts(row: Row) -> Texts {
    let text = |value: Value| match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(format!("{other:?}")),
    };
    row.unwrap().into_iter().map(text).collect()
}

pub(crate) struct Collations {
    pub(crate) exist: Vec<bool>,
    pub(crate) foldings: Vec<CollationFolding>,
}

impl Collations {
    /// Returns the collations of the server of this run. Asks once a process.
    pub(crate) async fn ask(conn: &mut Conn) -> Res<&'static Self> {
        static KNOWN: OnceCell<Collations> = OnceCell::const_new();
        KNOWN.get_or_try_init(async || Self::read(conn).await).await
    }

    async fn read(conn: &mut Conn) -> Res<Self> {
        let known: Vec<String> = conn.query("SELECT COLLATION_NAME FROM information_schema.COLLATIONS").await?;
        let exist: Vec<bool> = COLLATIONS.iter().map(|(_, name)| known.iter().any(|known| known == name)).collect();
        let mut foldings = Vec::new();
        for at in 0..COLLATIONS.len() {
            foldings.push(folding(conn, collation(at, &exist)).await?);
        }
        Ok(Self { exist, foldings })
    }
}

/// Returns the collations of the server of this run, with what a follower knows about them.
///
/// # Errors
/// The server can't be reached, or refuses the question.
pub async fn foldings() -> Res<Vec<(&'static str, CollationFolding)>> {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    let known = Collations::ask(&mut conn).await?;
    conn.disconnect().await?;
    let with_name = |((_, name), folding): (&(&'static str, &'static str), &CollationFolding)| (*name, folding.clone());
    let exist = COLLATIONS.iter().zip(&known.foldings).zip(&known.exist).filter(|(_, exists)| **exists);
    Ok(exist.map(|(one, _)| with_name(one)).collect())
}

async fn folding(conn: &mut Conn, at: usize) -> Res<CollationFolding> {
    let (charset, collation) = COLLATIONS[at];
    if collation.ends_with("_bin") {
        return Ok(CollationFolding::EXACT);
    }
    let sql = CollationFolding::sql(charset, collation).expect("names are names");
    let rows: Vec<(u64, String)> = conn.query(sql).await?;
    Ok(CollationFolding::from_rows(rows.iter().map(|(count, hex)| (*count, &**hex))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_that_ends_changes_no_answer() {
        let database = Database::create().await;
        let mut conn = database.admin().await;
        prepare(&mut conn).await.unwrap();
        let clock = "SELECT NOW(6), CURDATE(), UTC_TIMESTAMP(6), UNIX_TIMESTAMP()";
        let first = answer(&mut conn, clock).await.unwrap();
        assert_eq!(first[0][0].as_deref(), Some("2025-01-15 10:00:00.000000"));
        answer(&mut conn, "SELECT SLEEP(0.001)").await.unwrap();
        assert_eq!(answer(&mut conn, clock).await.unwrap(), first);
        conn.disconnect().await.unwrap();
    }
}
