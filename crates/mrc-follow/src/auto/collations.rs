//! Questions about collations to the server.

use mrc_core::depends::CollationFolding;

use crate::event::Flavor;
use crate::source::{Session, SourceError};

const NAMES: &str = "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID = ?";
/// MariaDB's newer collations belong to several charsets, and have a number for each.
const NAMES_BY_CHARSET: &str = "SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME \
    FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID = ?";

/// Asks which texts a collation takes for equal. Takes some milliseconds.
pub(crate) async fn folding(id: u16, session: &mut Session) -> Result<CollationFolding, SourceError> {
    match ask(id, session).await {
        // Too much is invalidated then, and the next question would be refused too.
        Err(SourceError::Refused(_)) => Ok(CollationFolding::UNKNOWN),
        folding => folding,
    }
}

async fn ask(id: u16, session: &mut Session) -> Result<CollationFolding, SourceError> {
    let mut names: Vec<(String, String)> = session.rows(NAMES, vec![id.to_string()]).await?;
    if names.is_empty() && session.flavor() == Flavor::MariaDb {
        names = session.rows(NAMES_BY_CHARSET, vec![id.to_string()]).await?;
    }
    let Some((collation, charset)) = names.first() else { return Ok(CollationFolding::UNKNOWN) };
    if collation.ends_with("_bin") {
        return Ok(CollationFolding::EXACT);
    }
    let Some(sql) = CollationFolding::sql(charset, collation) else { return Ok(CollationFolding::UNKNOWN) };
    let rows: Vec<(u64, String)> = session.rows(&sql, Vec::new()).await?;
    Ok(CollationFolding::from_rows(rows.iter().map(|(count, texts)| (*count, texts.as_str()))))
}
