//! Finds the JSON columns of MariaDB in the catalogue, with the query of `MySqlExecutor`, once a
//! column per 5 minutes.

use mrc_core::ColumnKind;
use mrc_store::driver::{Catalogue, JSON_COLUMNS_OF_TABLE};
use sqlx::mysql::MySqlConnection;
use sqlx::{Error, Row};

use crate::columns::Described;

/// A table with its database, and a column.
type Name = (String, String);

/// For each known column: whether it is JSON.
#[derive(Debug, Default)]
pub(crate) struct JsonColumns(Catalogue<Name, bool>);

impl JsonColumns {
    /// Marks the columns known as JSON. Returns false if the catalogue must be asked for a column.
    pub(crate) fn apply(&self, columns: &mut [Described]) -> bool {
        columns.iter_mut().all(|described| {
            let Some(name) = &described.may_be_json else { return true };
            let Some(is_json) = self.0.get(name, |is_json| *is_json) else { return false };
            if is_json {
                described.column.kind = ColumnKind::Json;
            }
            true
        })
    }

    /// Asks the catalogue for each column, and marks those that are JSON.
    pub(crate) async fn ask(&self, conn: &mut MySqlConnection, columns: &mut [Described]) -> Result<(), Error> {
        for described in columns {
            let Some(name) = &described.may_be_json else { continue };
            let is_json = is_json(conn, name).await?;
            self.0.remember(name.clone(), is_json);
            if is_json {
                described.column.kind = ColumnKind::Json;
            }
        }
        Ok(())
    }
}

async fn is_json(conn: &mut MySqlConnection, (table, column): &Name) -> Result<bool, Error> {
    // sqlx joins the names of database and table by a point, which both names may contain.
    for (at, _) in table.match_indices('.') {
        let (database, table) = (table.get(..at), table.get(at + 1..));
        let asked = sqlx::query(JSON_COLUMNS_OF_TABLE).bind(database).bind(table).fetch_all(&mut *conn).await;
        match asked {
            Ok(rows) if rows.iter().any(|row| row.try_get_unchecked(0).is_ok_and(|name: String| name == *column)) => {
                return Ok(true);
            }
            Ok(_) => {}
            // The server lacks this table of the catalogue, or hides it: JSON stays text.
            Err(Error::Database(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use mrc_core::Column;

    use super::*;
    use crate::columns::Layout;

    #[test]
    fn a_column_is_known_once_it_is_remembered() {
        let known = JsonColumns::default();
        for (is_json, kind) in [(true, ColumnKind::Json), (false, ColumnKind::Text)] {
            let name = ("db.t".to_owned(), format!("c{is_json}"));
            let (column, layout) = (Column::new(&*name.1, ColumnKind::Text), Layout::Bytes);
            let mut columns = [Described { column, layout, may_be_json: Some(name.clone()) }];
            assert!(!known.apply(&mut columns));
            known.0.remember(name, is_json);
            assert!(known.apply(&mut columns));
            assert_eq!(columns[0].column.kind, kind);
        }
    }
}
